import FragmentLog
import Ingest
import LogTestSupport
import Matroska
import MediaModel
import NIOCore
import TestSupport
import Testing

@Suite struct PushMutationTests {
    /// Cuts, flips and moves bytes of a real body.
    private static func mutate(_ body: ByteBuffer, seed: UInt64) -> ByteBuffer {
        var random = SplitMix(seed: seed)
        var bytes = Array(body.readableBytesView)
        for _ in 0..<Int.random(in: 1...20, using: &random) {
            let at = Int.random(in: 0..<bytes.count, using: &random)
            switch Int.random(in: 0..<6, using: &random) {
            case 0: bytes[at] = UInt8.random(in: 0...255, using: &random)
            case 1: bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 2:
                let end = min(bytes.count, at + Int.random(in: 1...2000, using: &random))
                bytes.removeSubrange(at..<end)
            case 3:
                let end = min(bytes.count, at + Int.random(in: 1...64, using: &random))
                for index in at..<end { bytes[index] = 0xFF }
            case 4:
                let end = min(bytes.count, at + Int.random(in: 1...4000, using: &random))
                bytes.insert(contentsOf: bytes[at..<end], at: at)
            default:
                if Int.random(in: 0..<4, using: &random) == 0 { bytes.removeSubrange(at...) }
            }
            if bytes.isEmpty { bytes = [0] }
        }
        return ByteBuffer(bytes: bytes)
    }

    @Test(arguments: ["mpegts", "matroska", "flv", "mp4"])
    func `damaged bodies leave nothing but whole fragments and reasons`(
        format: String
    ) async throws {
        let body = try await Remux.make(.visitor, format, ["-t", "5"])
        let bench = try await IngestBench()
        for seed in 0..<UInt64(Effort.count(75, underThreadSanitizer: 12)) {
            let before = bench.stream.head?.ordinal
            let outcome = try await bench.push(Self.mutate(body, seed: seed), chunk: 20_000)
            let count = Int((bench.stream.head?.ordinal ?? 0) - (before ?? 0))
            #expect(outcome.summary.fragmentCount <= count + 1)
            if outcome.error == nil { #expect(outcome.summary.fragmentCount >= 0) }
        }
        for record in try await bench.records() {
            let table = try await bench.table(record)
            #expect(!table.samples.isEmpty)
            #expect(UInt32(table.samples.count) == record.sampleCount)
        }
        await bench.close()
    }
}

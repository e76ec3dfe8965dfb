@testable import FragmentLog
import Ingest
import LogTestSupport
import Matroska
import MediaModel
import NIOCore
import TestSupport
import Testing

@Suite struct PutMediaFailureTests {
    typealias Make = ProducerBytes
    static let base = PutMediaSessionTests.base

    /// Sends one good fragment and then something bad; gives the last acknowledgement.
    private func refused(
        _ bad: [UInt8],
        header: [UInt8] = Make.header(),
        limits: PutMediaLimits = PutMediaLimits()
    ) async throws -> (last: String?, records: [FragmentRecord], gaps: [Gap]) {
        let bench = try await IngestBench()
        let run = try await bench.put(header + Make.media(Self.base) + bad, limits: limits)
        let persisted = run.only("P")
        #expect(persisted == ["P\(Self.base)"] || bad.isEmpty)
        let result = (run.lines.last, try await bench.records(), try await bench.gaps())
        #expect(run.only("E").count == 1)
        await bench.close()
        return result
    }

    @Test(arguments: [UInt64(0), 1, 5000])
    func `a timecode that does not grow is 4004`(back: UInt64) async throws {
        let (last, records, _) = try await refused(Make.media(Self.base - back))
        #expect(last == "E4004@\(Self.base - back)")
        #expect(records.map(\.flags) == [[]])
    }

    @Test func `too many bytes are 4001 and the part is kept as incomplete`() async throws {
        var limits = PutMediaLimits()
        limits.fragmentBytesMax = 5000
        let bad =
            Make.cluster(Self.base + 1000) + Make.block(1, 0, key: true, size: 4900)
            + Make.block(1, 40, key: false, size: 200)
        let (last, records, gaps) = try await refused(bad, limits: limits)
        #expect(last == "E4001@\(Self.base + 1000)")
        #expect(records.map(\.flags) == [[], .incomplete])
        #expect(gaps.map(\.reason) == [.limit])
        let large = Make.cluster(Self.base + 1000) + Make.block(1, 0, key: true, size: 6000)
        #expect(try await refused(large, limits: limits).last == "E4001@\(Self.base + 1000)")
    }

    @Test func `too many frames are 4001`() async throws {
        var limits = PutMediaLimits()
        limits.fragmentSamplesMax = 80
        let bad = Make.media(Self.base + 1000, ms: 2000)
        #expect(try await refused(bad, limits: limits).last == "E4001@\(Self.base + 1000)")
    }

    @Test func `a frame more than twenty seconds behind its Cluster is 4002`() async throws {
        let bad =
            Make.cluster(Self.base + 1000) + Make.block(1, 0, key: true)
            + Make.block(1, 20_000, key: false) + Make.block(1, 20_001, key: false)
        #expect(try await refused(bad).last == "E4002@\(Self.base + 1000)")
    }

    /// Elements that nobody knows and that hold nothing.
    private static func empty(_ count: Int) -> [UInt8] {
        (0..<count).flatMap { _ -> [UInt8] in [0xC8, 0x80] }
    }

    @Test(arguments: [
        empty(64), ProducerBytes.element(0xC8, [UInt8](repeating: 0, count: 65_536)),
    ])
    func `too much before the first frame of a Cluster is 4006`(elements: [UInt8]) async throws {
        // What comes before the first frame waits for it outside the memory budget.
        let bad = Make.cluster(Self.base + 1000) + elements + Make.block(1, 0, key: true)
        let (last, records, gaps) = try await refused(bad)
        #expect(last == "E4006@\(Self.base + 1000)")
        #expect(records.map(\.flags) == [[]])
        #expect(gaps.map(\.reason) == [.refused])
    }

    @Test func `some elements before the first frame of a Cluster are kept`() async throws {
        let bench = try await IngestBench()
        let run = try await bench.put(
            Make.header() + Make.cluster(Self.base) + Self.empty(62)
                + Make.block(1, 0, key: true)
        )
        #expect(run.only("P") == ["P\(Self.base)"])
        await bench.close()
    }

    @Test func `a frame outside a Cluster is 4006`() async throws {
        let bad = Make.tags([("in", "between")]) + Make.block(1, 1000, key: false)
        let (last, records, gaps) = try await refused(bad)
        // The Cluster before it was whole.
        #expect(last == "E4006")
        #expect(records.map(\.flags) == [.tags])
        #expect(gaps.map(\.reason) == [.refused])
    }

    @Test func `a second document is 4006`() async throws {
        let bad = Make.endOfFragment + Make.header() + Make.media(Self.base + 1000)
        let (last, records, _) = try await refused(bad)
        #expect(last == "E4006")
        #expect(records.map(\.flags) == [.tags])
    }

    @Test func `noise behind a Cluster is 4006`() async throws {
        let bad = Make.endOfFragment + [UInt8](repeating: 0x00, count: 50)
        let (last, records, gaps) = try await refused(bad)
        #expect(last == "E4006")
        #expect(records.map(\.flags) == [.tags])
        #expect(gaps.map(\.reason) == [.refused])
    }

    @Test func `noise instead of a timecode fails the new Cluster and not the one before`()
        async throws
    {
        let bad = Make.id(0x1F43_B675) + [0xFF] + [UInt8](repeating: 0, count: 40)
        let (last, records, _) = try await refused(bad)
        #expect(last == "E4006")
        #expect(records.map(\.flags) == [[]])
    }

    @Test(arguments: [UInt64(253_402_300_800_000), UInt64(Int64.max), UInt64.max])
    func `a timecode beyond the year 9999 is 4007`(timecode: UInt64) async throws {
        let bad = Make.cluster(timecode) + Make.block(1, 0, key: true)
        let last = try await refused(bad).last
        // The parser refuses what does not fit 64 bits, without naming it.
        #expect(last == "E4007@\(timecode)" || last == "E4007")
    }

    @Test(arguments: [
        [("", String(repeating: "v", count: 257))], [(String(repeating: "n", count: 129), "")],
        (0..<11).map { ("n\($0)", "v") },
    ])
    func `too many or too long tags are 4009`(items: [(String, String)]) async throws {
        let bench = try await IngestBench()
        let run = try await bench.put(
            Make.header() + Make.media(Self.base) + Make.tags(items) + Make.endOfFragment
        )
        #expect(run.lines.last == "E4009@\(Self.base)")
        #expect(run.only("P").isEmpty)
        let late = try await bench.put(
            Make.header() + Make.media(Self.base) + Make.endOfFragment + Make.tags(items)
                + Make.media(Self.base + 1000)
        )
        #expect(late.lines.last == "E4009")
        #expect(late.only("P") == ["P\(Self.base)"])
        await bench.close()
    }

    @Test func `ten tags of full length are fine`() async throws {
        let bench = try await IngestBench()
        let value = String(repeating: "v", count: 256)
        let items = (0..<10).map { (String(repeating: "n", count: 127) + "\($0)", value) }
        let run = try await bench.put(
            Make.header() + Make.media(Self.base) + Make.tags(items) + Make.endOfFragment
        )
        #expect(run.end == .finished)
        await bench.close()
    }

    @Test func `a block of an undeclared track is 4010`() async throws {
        let bad = Make.cluster(Self.base + 1000) + Make.block(3, 0, key: true)
        #expect(try await refused(bad).last == "E4010@\(Self.base + 1000)")
    }

    @Test func `more than eight tracks are 4012`() async throws {
        let bench = try await IngestBench()
        let tracks = (1...9).map { Make.track(UInt8($0), type: 1, codec: "V_X") }
        let run = try await bench.put(Make.header(tracks) + Make.media(Self.base))
        #expect(run.lines == ["E4012"])
        await bench.close()
    }

    @Test func `an end in the middle of a frame is 4000`() async throws {
        let bad = Make.media(Self.base + 1000).dropLast(5)
        let (last, records, gaps) = try await refused(Array(bad))
        #expect(last == "E4000@\(Self.base + 1000)")
        #expect(records.map(\.flags) == [[], .incomplete])
        #expect(gaps.map(\.reason) == [.disconnect])
    }

    @Test func `a lost connection keeps the part as incomplete and acknowledges only the rest`()
        async throws
    {
        let bench = try await IngestBench()
        let part = Make.header() + Make.media(Self.base) + Make.media(Self.base + 1000).prefix(2000)
        let run = try await bench.put(part, breaksWith: ConnectionLost())
        #expect(run.end == .disconnected)
        #expect(run.only("P") == ["P\(Self.base)"])
        #expect(run.only("E").isEmpty)
        // The client sends the fragment again, whole, over a new connection.
        let again = try await bench.put(
            Make.header() + Make.media(Self.base + 1000) + Make.endOfFragment
        )
        #expect(again.only("P") == ["P\(Self.base + 1000)"])
        let records = try await bench.records()
        #expect(records.map { $0.flags.contains(.incomplete) } == [false, true, false])
        #expect(records[1].producer == records[2].producer)
        #expect(try await bench.gaps().map(\.reason) == [.disconnect])
        await bench.close()
    }

    @Test func `a connection lost behind a whole Cluster loses nothing`() async throws {
        let bench = try await IngestBench()
        let body = Make.header() + Make.knownCluster(Self.base, [Make.block(1, 0, key: true)])
        let run = try await bench.put(body, breaksWith: ConnectionLost())
        #expect(run.end == .disconnected)
        #expect(try await bench.records().map(\.flags) == [[]])
        await bench.close()
    }

    @Test func `a connection refused before its first fragment leaves a gap on the server clock`()
        async throws
    {
        let bench = try await IngestBench()
        let before = bench.log.configuration.clock.now()
        let run = try await bench.put(
            Make.header() + Make.cluster(Self.base) + Make.block(3, 0, key: true)
        )
        #expect(run.lines == ["E4010@\(Self.base)"])
        #expect(run.summary.gaps.map(\.reason) == [.refused])
        let gaps = try await bench.gaps(.server)
        #expect(gaps.map(\.reason) == [.refused])
        #expect(gaps.allSatisfy { $0.start >= before && $0.end >= $0.start })
        #expect(try await bench.gaps().isEmpty)
        await bench.close()
    }

    @Test func `a server that stops is the reason of the gap behind the last frame`() async throws {
        let bench = try await IngestBench()
        let part = Make.header() + Make.media(Self.base) + Make.media(Self.base + 1000).prefix(2000)
        let run = try await bench.put(part, breaksWith: IngestError(.shuttingDown, "stopped"))
        #expect(run.end == .finished)
        #expect(run.only("P") == ["P\(Self.base)"])
        #expect(run.only("E").isEmpty)
        #expect(try await bench.gaps().map(\.reason) == [.restart])
        await bench.close()
    }

    @Test func `a producer that is refused for fighting leaves one gap that says so`() async throws
    {
        let bench = try await IngestBench()
        var inputs: [AsyncStream<ByteBuffer>.Continuation] = []
        var runs: [Task<PutMediaRun, any Error>] = []
        for index in UInt64(0)..<4 {
            let (body, input) = AsyncStream.makeStream(of: ByteBuffer.self)
            inputs.append(input)
            runs.append(Task { try await bench.put(body) })
            let timecode = Self.base + index * 5000
            input.yield(ByteBuffer(bytes: Make.header() + Make.media(timecode)))
            try await bench.fragment(at: Timestamp(milliseconds: Int64(timecode)))
        }
        let last = Self.base + 20_000
        let refused = try await bench.put(Make.header() + Make.media(last))
        #expect(refused.lines == ["E5000@\(last)"])
        #expect(try await bench.gaps(.server).map(\.reason) == [.contention])
        for input in inputs { input.finish() }
        for run in runs { #expect(try await run.value.end == .finished) }
        await bench.close()
    }

    @Test func `a fragment that cannot be stored is told while the next one waits for memory`()
        async throws
    {
        let bench = try await IngestBench()
        try await bench.breakDisk()
        let (body, input) = AsyncStream.makeStream(of: ByteBuffer.self)
        async let run = bench.put(body)
        input.yield(ByteBuffer(bytes: Make.header() + Make.media(Self.base)))
        try await bench.fragment(at: Timestamp(milliseconds: Int64(Self.base)))
        // Others use up all memory: the next fragment waits.
        _ = bench.log.budget.add(1 << 50)
        input.yield(ByteBuffer(bytes: Make.media(Self.base + 1000)))
        let lines = try await run.lines
        #expect(lines.last == "E5001@\(Self.base)")
        #expect(try await run.summary.gaps.map(\.reason) == [.ioError])
        await bench.close()
    }

    @Test func `a resend with old times over a new connection is stored again`() async throws {
        let bench = try await IngestBench()
        let body = Make.header() + Make.media(Self.base) + Make.media(Self.base + 1000)
        _ = try await bench.put(body)
        let run = try await bench.put(body)
        #expect(run.only("P").count == 2)
        let records = try await bench.records()
        #expect(records.count == 4)
        #expect(Set(records.map(\.number)).count == 4)
        #expect(records[0].producer == records[2].producer)
        await bench.close()
    }

    @Test func `a silent client is told and then let go`() async throws {
        let bench = try await IngestBench()
        let (body, input) = AsyncStream.makeStream(of: ByteBuffer.self)
        input.yield(ByteBuffer(bytes: Make.header() + Make.media(Self.base) + Make.endOfFragment))
        var limits = PutMediaLimits()
        limits.idleNoticeMs = 20
        limits.idleMs = 110
        let run = try await bench.put(body, limits: limits)
        #expect(run.end == .idle)
        #expect((1...5).contains(run.only("I").count))
        #expect(run.only("P") == ["P\(Self.base)"])
        #expect(run.only("E").isEmpty)
        await bench.close()
    }

    @Test func `a second connection may wait silently and goes on when it sends`() async throws {
        let bench = try await IngestBench()
        let (first, firstInput) = AsyncStream.makeStream(of: ByteBuffer.self)
        let (second, secondInput) = AsyncStream.makeStream(of: ByteBuffer.self)
        async let older = bench.put(first)
        firstInput.yield(ByteBuffer(bytes: Make.header() + Make.media(Self.base)))
        var cursor = try await bench.stream.cursor(.newest)
        _ = try await cursor.next(follow: true)
        // Token rotation: the next connection is opened early and says nothing.
        async let newer = bench.put(second)
        firstInput.yield(
            ByteBuffer(bytes: Make.media(Self.base + 1000) + Make.endOfFragment)
        )
        firstInput.finish()
        let olderRun = try await older
        secondInput.yield(
            ByteBuffer(bytes: Make.header() + Make.media(Self.base + 2000) + Make.endOfFragment)
        )
        secondInput.finish()
        let newerRun = try await newer
        #expect(olderRun.end == .finished)
        #expect(olderRun.only("P") == ["P\(Self.base)", "P\(Self.base + 1000)"])
        #expect(newerRun.only("P") == ["P\(Self.base + 2000)"])
        #expect(try await bench.gaps().isEmpty)
        await bench.close()
    }

    @Test func `the older connection gets its last acknowledgement when it is taken over`()
        async throws
    {
        let bench = try await IngestBench()
        let (first, firstInput) = AsyncStream.makeStream(of: ByteBuffer.self)
        async let older = bench.put(first)
        firstInput.yield(ByteBuffer(bytes: Make.header() + Make.media(Self.base)))
        var cursor = try await bench.stream.cursor(.newest)
        _ = try await cursor.next(follow: true)
        let (second, secondInput) = AsyncStream.makeStream(of: ByteBuffer.self)
        async let newer = bench.put(second)
        secondInput.yield(ByteBuffer(bytes: Make.header() + Make.media(Self.base + 500)))
        guard case .open = try await cursor.next(follow: true) else {
            Issue.record("the newer connection opened no fragment")
            return
        }
        firstInput.yield(ByteBuffer(bytes: Make.media(Self.base + 1000)))
        let olderRun = try await older
        #expect(olderRun.end == .finished)
        #expect(olderRun.lines == ["B\(Self.base)", "R\(Self.base)", "P\(Self.base)"])
        firstInput.finish()
        secondInput.finish()
        #expect(try await newer.only("P") == ["P\(Self.base + 500)"])
        await bench.close()
    }

    @Test func `a deleted stream is 4008`() async throws {
        let bench = try await IngestBench()
        let (body, input) = AsyncStream.makeStream(of: ByteBuffer.self)
        async let run = bench.put(body)
        input.yield(ByteBuffer(bytes: Make.header() + Make.media(Self.base) + Make.endOfFragment))
        while bench.stream.head == nil { await Task.yield() }
        try await bench.log.deleteStream(.test())
        input.yield(ByteBuffer(bytes: Make.media(Self.base + 1000)))
        let lines = try await run.lines
        #expect(lines.last == "E4008@\(Self.base + 1000)")
        input.finish()
        await bench.close()
    }

    @Test func `a fragment that cannot be stored is 5001 and none after it is persisted`()
        async throws
    {
        let bench = try await IngestBench()
        try await bench.breakDisk()
        let run = try await bench.put(
            Make.header() + Make.media(Self.base) + Make.media(Self.base + 1000)
        )
        #expect(run.end == .failed(.archivalError))
        #expect(run.lines.last == "E5001@\(Self.base)")
        #expect(run.only("P").isEmpty)
        await bench.close()
    }

    @Test func `a client that only waits is told that its fragment could not be stored`()
        async throws
    {
        let bench = try await IngestBench()
        try await bench.breakDisk()
        let (body, input) = AsyncStream.makeStream(of: ByteBuffer.self)
        input.yield(ByteBuffer(bytes: Make.header() + Make.media(Self.base) + Make.endOfFragment))
        let run = try await bench.put(body)
        #expect(run.lines == ["B\(Self.base)", "R\(Self.base)", "E5001@\(Self.base)"])
        await bench.close()
    }

    /// Flips, cuts and repeats bytes of four fragments with tags.
    private static func damaged(_ random: inout SplitMix) -> [UInt8] {
        var bytes = Make.header()
        for index in UInt64(0)..<4 {
            bytes += Make.media(base + index * 1000, ms: 200)
            if index % 2 == 0 { bytes += Make.tags([("a", "b")]) + Make.endOfFragment }
        }
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            let at = Int.random(in: 0..<bytes.count, using: &random)
            switch Int.random(in: 0..<4, using: &random) {
            case 0: bytes[at] = UInt8.random(in: 0...255, using: &random)
            case 1: bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 2: bytes.removeSubrange(at..<min(bytes.count, at + 30))
            default: bytes.insert(contentsOf: bytes[at..<min(bytes.count, at + 50)], at: at)
            }
        }
        return bytes
    }

    @Test(arguments: UInt64(0)..<4)
    func `damaged bodies end with an answer and whole fragments`(group: UInt64) async throws {
        let bench = try await IngestBench()
        var random = SplitMix(seed: group)
        var persisted = 0
        for _ in 0..<Effort.count(75, underThreadSanitizer: 12) {
            let run = try await bench.put(
                Self.damaged(&random),
                chunk: Int.random(in: 1...500, using: &random),
                breaksWith: Bool.random(using: &random) ? ConnectionLost() : nil
            )
            persisted += run.only("P").count
            #expect(run.only("P").count == run.summary.fragmentCount)
            #expect(run.only("R").count == run.only("P").count)
            #expect(run.only("E").count == (run.lines.last?.first == "E" ? 1 : 0))
        }
        let records = try await bench.records()
        #expect(records.filter { !$0.flags.contains(.incomplete) }.count == persisted)
        for record in records { #expect(try await !bench.table(record).samples.isEmpty) }
        await bench.close()
    }
}

import FFmpegMedia
import Ingest
import NIOCore
import TestSupport
import Testing

@Suite struct ContainerWalkTests {
    private static let formats: [(name: String, format: InputFormat)] = [
        ("mpegts", .mpegTS), ("matroska", .matroska), ("matroska-file", .matroska),
        ("flv", .flv), ("mp4", .mp4),
    ]

    @Test(arguments: 0..<5)
    func `only a whole body may end`(index: Int) async throws {
        let (name, format) = Self.formats[index]
        let body = try await Remux.make(.visitor, name)
        var walk = ContainerWalk(format)
        var ends = 0
        var rest = body
        while let byte = rest.readSlice(length: 1) {
            try walk.consume(byte)
            #expect(walk.isWhole != nil)
            if walk.isWhole == true { ends += 1 }
        }
        #expect(walk.isWhole == true)
        // Between packets, tags and blocks it may end as well, but nowhere else.
        #expect(ends < body.readableBytes / 30)
        for chunk in [7, 1000, 100_000, 10_000_000] {
            var walk = ContainerWalk(format)
            var rest = body
            while let part = rest.readSlice(length: min(chunk, max(1, rest.readableBytes))) {
                try walk.consume(part)
            }
            #expect(walk.isWhole == true)
        }
    }

    @Test(arguments: InputFormat.allCases)
    func `noise is left to the demuxer`(format: InputFormat) {
        for seed in UInt64(0)..<50 {
            var random = SplitMix(seed: seed)
            var walk = ContainerWalk(format)
            for _ in 0..<50 {
                let bytes = (0..<100).map { _ in UInt8.random(in: 0...255, using: &random) }
                do { try walk.consume(ByteBuffer(bytes: bytes)) } catch { break }
            }
            _ = walk.isWhole
        }
    }
}

import NIOCore
import TestSupport
import Testing

@testable import kinelog

struct TransportWalkerTests {
    @Test func `what ffmpeg writes is followed at its own clock`() async throws {
        let media = SampleMedia.visitor
        let bytes = try await Program.succeed([
            "ffmpeg", "-v", "error", "-i", media.path, "-c", "copy", "-f", "mpegts", "-",
        ])
        for size in [bytes.readableBytes, 1000, 188] {
            var walker = TransportWalker()
            var pieces: [TimedPiece] = []
            var rest = bytes
            while let piece = rest.readSlice(length: min(size, rest.readableBytes)),
                piece.readableBytes > 0
            {
                pieces += try walker.feed(piece)
            }
            pieces += walker.finish()
            #expect(pieces.reduce(0) { $0 + $1.bytes.readableBytes } == bytes.readableBytes)
            let times = pieces.compactMap(\.dueMilliseconds)
            #expect(times == times.sorted())
            let length = (times.last ?? 0) - (times.first ?? 0)
            #expect((15_000...16_100).contains(length))
        }
    }

    @Test(
        arguments: [
            (100, nil, 100), (100, 90, 100), (0, (1 << 33) - 1, 1 << 33),
            ((1 << 33) - 1, 1 << 33, (1 << 33) - 1), (5, 3 << 33 | 4, 3 << 33 | 5),
        ] as [(Int64, Int64?, Int64)]
    )
    func `a clock of 33 bits is counted on`(base: Int64, last: Int64?, expected: Int64) {
        #expect(TransportWalker.unwrapped(base, after: last) == expected)
    }

    @Test func `a packet out of step is refused with its place`() throws {
        var walker = TransportWalker()
        let packet: [UInt8] = [0x47] + [UInt8](repeating: 0, count: 187)
        _ = try walker.feed(ByteBuffer(bytes: packet))
        let error = #expect(throws: CommandError.self) {
            try walker.feed(ByteBuffer(bytes: packet.reversed()))
        }
        #expect(error?.description.hasPrefix("At byte 188 ") == true)
    }
}

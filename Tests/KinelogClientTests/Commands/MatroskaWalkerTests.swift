import NIOCore
import TestSupport
import Testing

@testable import kinelog

struct MatroskaWalkerTests {
    /// An element with a size of one byte.
    private static func element(_ id: [UInt8], _ data: [UInt8]) -> [UInt8] {
        id + [0x80 | UInt8(data.count)] + data
    }

    private static let info: [UInt8] =
        element(
            [0x15, 0x49, 0xA9, 0x66],
            element([0x2A, 0xD7, 0xB1], [0x0F, 0x42, 0x40])
                // 2001-01-01T00:00:01Z in nanoseconds since 2001.
                + element([0x44, 0x61], [0, 0, 0, 0, 0x3B, 0x9A, 0xCA, 0x00])
        )

    private static func document(clusterSize: [UInt8]?) -> [UInt8] {
        let block1 = element([0xA3], [0x81, 0x00, 0x05, 0x80, 0x1A, 0x45, 0xDF, 0xA3])
        let block2 = element([0xA3], [0x81, 0x00, 0x2D, 0x00, 0x01])
        let children = element([0xE7], [0x64]) + block1 + block2
        let size = clusterSize ?? [0x80 | UInt8(children.count)]
        return element([0x1A, 0x45, 0xDF, 0xA3], [0x42, 0x86, 0x81, 0x01])
            + [0x18, 0x53, 0x80, 0x67, 0x01, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF] + info
            + [0x1F, 0x43, 0xB6, 0x75] + size + children
    }

    private static let known = document(clusterSize: nil)
    private static let unknown = document(clusterSize: [0xFF])

    @Test(arguments: [known, unknown])
    func `documents and samples begin pieces, at any division of the bytes`(
        document: [UInt8]
    ) throws {
        let bytes = document + document
        for size in [1, 2, 3, 7, 16, bytes.count] {
            var walker = MatroskaWalker()
            var pieces: [TimedPiece] = []
            for start in stride(from: 0, to: bytes.count, by: size) {
                let piece = bytes[start..<min(bytes.count, start + size)]
                pieces += try walker.feed(ByteBuffer(bytes: piece))
            }
            pieces += walker.finish()
            #expect(pieces.flatMap { Array($0.bytes.readableBytesView) } == bytes)
            // The bytes of an EBML header inside a sample begin no document.
            #expect(pieces.filter(\.startsDocument).count == 2)
            #expect(
                pieces.compactMap(\.documentMilliseconds) == [978_307_201_000, 978_307_201_000]
            )
            let times = pieces.compactMap(\.dueMilliseconds)
            #expect(times.filter { $0 != 100 } == [105, 145, 105, 145])
        }
    }

    @Test func `a whole document gives its header, then a piece for each sample`() throws {
        var walker = MatroskaWalker()
        let pieces = try walker.feed(ByteBuffer(bytes: Self.known))
        #expect(pieces.map(\.startsDocument) == [true, false, false])
        #expect(pieces.map(\.dueMilliseconds) == [nil, 105, 145])
    }

    @Test(arguments: SampleMedia.all)
    func `what ffmpeg writes is followed to its end`(media: SampleMedia) async throws {
        let bytes = try await Program.succeed([
            "ffmpeg", "-v", "error", "-i", media.path, "-c", "copy", "-f", "matroska", "-",
        ])
        var walker = MatroskaWalker()
        let pieces = try walker.feed(bytes) + walker.finish()
        #expect(pieces.reduce(0) { $0 + $1.bytes.readableBytes } == bytes.readableBytes)
        let samples = pieces.filter { $0.dueMilliseconds != nil }.count
        // A sample in a BlockGroup, as the last of a track may be, begins no piece.
        let all = media.videoSampleCount + media.audioSampleCount
        #expect((all - 4...all).contains(samples))
    }

    @Test func `what is not Matroska is refused`() {
        var walker = MatroskaWalker()
        #expect(throws: CommandError.self) { try walker.feed(ByteBuffer(string: "GIF89a")) }
    }

    @Test func `an element without an end is refused`() {
        var walker = MatroskaWalker()
        let bytes = Self.known + [0xEC, 0xFF]
        #expect(throws: CommandError.self) { try walker.feed(ByteBuffer(bytes: bytes)) }
    }
}

import NIOCore
import Testing

@testable import KinelogClient

struct LineReaderTests {
    private static let text = "{\"a\":1}\n\n{\"b\":2}\nrest"

    @Test(arguments: 1...text.utf8.count)
    func `lines come out the same however the bytes arrive`(size: Int) throws {
        var reader = LineReader()
        var lines: [String] = []
        var bytes = ByteBuffer(string: Self.text)
        while let piece = bytes.readSlice(length: min(size, bytes.readableBytes)),
            piece.readableBytes > 0
        {
            lines += try reader.feed(piece).map { String(buffer: $0) }
        }
        #expect(lines == ["{\"a\":1}", "{\"b\":2}"])
        #expect(reader.rest.map { String(buffer: $0) } == "rest")
    }

    @Test func `a line without end is refused`() throws {
        var reader = LineReader()
        let piece = ByteBuffer(repeating: 0x20, count: LineReader.lineBytesMax)
        #expect(try reader.feed(piece).isEmpty)
        #expect(throws: KinelogClientError.self) { try reader.feed(ByteBuffer(string: " ")) }
    }
}

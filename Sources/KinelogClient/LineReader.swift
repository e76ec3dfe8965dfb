import NIOCore

/// Cuts a stream of bytes into lines that end in a line feed.
struct LineReader {
    /// The longest line taken: a fragment with the largest set of tags stays well below.
    static let lineBytesMax = 1024 * 1024

    private var pending = ByteBuffer()

    /// What follows the last line feed, if that is anything.
    var rest: ByteBuffer? { pending.readableBytes > 0 ? pending : nil }

    /// Takes the next bytes.
    ///
    /// - Returns: The lines that they complete, without line feeds and without empty ones.
    /// - Throws: ``KinelogClientError/Code/unexpectedAnswer`` when a line is too long.
    mutating func feed(_ bytes: ByteBuffer) throws(KinelogClientError) -> [ByteBuffer] {
        pending.writeImmutableBuffer(bytes)
        var lines: [ByteBuffer] = []
        while let end = pending.readableBytesView.firstIndex(of: 0x0A) {
            let length = end - pending.readerIndex
            if let line = pending.readSlice(length: length), length > 0 { lines.append(line) }
            pending.moveReaderIndex(forwardBy: 1)
        }
        pending.discardReadBytes()
        guard pending.readableBytes <= Self.lineBytesMax else {
            throw KinelogClientError(
                .unexpectedAnswer,
                "A line of the answer has more than \(Self.lineBytesMax) bytes; is it a Kinelog server?"
            )
        }
        return lines
    }
}

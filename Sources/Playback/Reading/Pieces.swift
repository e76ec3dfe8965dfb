import NIOCore

/// How output is cut: pieces of at most 256 KiB, so that a reader that stops holds no more.
enum Pieces {
    /// The most bytes in one piece, and in one read from the disk.
    static let lengthMax = 256 << 10
}

/// Bytes on their way out that are in memory already.
struct OutputQueue: Sendable {
    private var buffers: [ByteBuffer] = []

    /// Puts bytes behind those that wait; small ones are joined.
    mutating func append(_ bytes: ByteBuffer) {
        guard bytes.readableBytes > 0 else { return }
        if let last = buffers.indices.last,
            buffers[last].readableBytes + bytes.readableBytes <= 16 << 10
        {
            buffers[last].writeImmutableBuffer(bytes)
        } else {
            buffers.append(bytes)
        }
    }

    /// The next piece.
    mutating func next() -> ByteBuffer? {
        guard !buffers.isEmpty else { return nil }
        if let slice = buffers[0].readSlice(length: Pieces.lengthMax) {
            if buffers[0].readableBytes == 0 { buffers.removeFirst() }
            return slice
        }
        return buffers.removeFirst()
    }
}

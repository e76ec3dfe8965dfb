package import NIOCore

/// A stored fragment that is being read; its bytes stay there while this is held, also when
/// retention unlinks the file meanwhile.
package struct FragmentReader: Sendable {
    /// The fragment.
    package let record: FragmentRecord
    private let bytes: any SegmentBytes
    private let pool: BlockingPool

    init(record: FragmentRecord, bytes: any SegmentBytes, pool: BlockingPool) {
        self.record = record
        self.bytes = bytes
        self.pool = pool
    }

    /// Reads bytes of the fragment.
    ///
    /// - Parameters:
    ///   - offset: Counted from the first byte of the stored fragment.
    ///   - length: How many bytes.
    /// - Returns: As many bytes as were asked for.
    /// - Throws: `.damaged` when the file is shorter than its index says, `.ioError`.
    package func read(at offset: UInt64, length: Int) async throws(LogError) -> ByteBuffer {
        let (source, record) = (bytes, record)
        return try await pool.run { () throws(LogError) in
            let bytes = try source.read(at: record.offset + offset, length: length)
            guard bytes.readableBytes == length else {
                throw LogError(
                    .damaged,
                    "\(source.place) ends inside fragment \(record.number); run 'kinelog verify --repair'."
                )
            }
            return bytes
        }
    }
}

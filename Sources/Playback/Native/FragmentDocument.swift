package import FragmentLog
package import NIOCore

/// One fragment as a Matroska document of its own: its header, its Cluster moved to time zero and
/// its producer's tags.
package struct FragmentDocument: Sendable {
    private var documents = NativeDocuments()

    /// Opens a fragment; from here on it stays readable, also when it is deleted meanwhile.
    ///
    /// - Parameters:
    ///   - stream: The fragment's stream.
    ///   - record: The fragment.
    /// - Throws: `.gone`, `.damaged`, `.unsupported`, `.ioError`, `.cancelled`.
    package init(stream: StreamLog, record: FragmentRecord) async throws(PlaybackError) {
        try await documents.append(record, of: stream)
    }

    /// The next piece, at most 256 KiB; `nil` after the last.
    ///
    /// - Throws: `.ioError`, `.gone`, `.cancelled`; the document is not complete then.
    package mutating func next() async throws(PlaybackError) -> ByteBuffer? {
        if Task.isCancelled { throw PlaybackError.cancelled }
        return try await documents.next()
    }
}

package import FragmentLog
package import MediaModel
package import NIOCore

/// One fragment as what comes next in a native document that its reader has begun before.
///
/// Fragment by fragment a reader that goes slowly gets what a stretch gives in one answer, byte for
/// byte, and keeps nobody waiting meanwhile.
package struct ContinuedDocument: Sendable {
    private var documents: NativeDocuments

    /// Opens a fragment; from here on it stays readable, also when it is deleted meanwhile.
    ///
    /// - Parameters:
    ///   - stream: The fragment's stream.
    ///   - record: The fragment.
    ///   - previous: The last fragment in the document.
    ///   - zero: The instant of timecode zero, which the document's DateUTC names.
    /// - Throws: `.gone`, `.damaged`, `.unsupported`, `.ioError`, `.cancelled`.
    package init(
        stream: StreamLog,
        record: FragmentRecord,
        after previous: FragmentRecord,
        zero: Timestamp
    ) async throws(PlaybackError) {
        let header: SegmentHeader
        do throws(LogError) {
            header = try await stream.header(of: previous)
        } catch {
            throw PlaybackError(error)
        }
        documents = NativeDocuments(
            DocumentTimeline(
                header: try OutputHeader(header),
                zero: zero,
                last: previous.producer
            )
        )
        try await documents.append(record, of: stream)
    }

    /// The next piece, at most 256 KiB; `nil` after the last.
    ///
    /// The first begins a new document where the fragment does not fit the one before.
    ///
    /// - Throws: `.ioError`, `.gone`, `.cancelled`; the fragment is not complete then.
    package mutating func next() async throws(PlaybackError) -> ByteBuffer? {
        if Task.isCancelled { throw PlaybackError.cancelled }
        return try await documents.next()
    }
}

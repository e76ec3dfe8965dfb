package import FragmentLog
import MediaModel
package import NIOCore

/// One fragment as a Matroska document of its own: its header, its Cluster moved to time zero and
/// its producer's tags.
///
/// A dependent fragment cannot be decoded without those before it in its group of pictures, so that
/// the document of one begins with the fragment that holds the sync sample. Where that is gone, the
/// fragment is given as it is.
package struct FragmentDocument: Sendable {
    private let stream: StreamLog
    private var documents = NativeDocuments()
    /// What comes after the fragment at hand.
    private var later: ArraySlice<FragmentRecord>

    /// Opens the document's first fragment; it stays readable, also when it is deleted meanwhile.
    ///
    /// - Parameters:
    ///   - stream: The fragment's stream.
    ///   - record: The fragment.
    /// - Throws: `.gone`, `.damaged`, `.unsupported`, `.ioError`, `.cancelled`.
    package init(stream: StreamLog, record: FragmentRecord) async throws(PlaybackError) {
        self.stream = stream
        var records = [record]
        if record.flags.contains(.dependent) {
            do throws(LogError) {
                records.insert(
                    contentsOf: try await SyncStart.chain(
                        stream,
                        record.number,
                        record.server,
                        record.session
                    ),
                    at: 0
                )
            } catch {
                throw PlaybackError(error)
            }
        }
        later = records.dropFirst()
        try await documents.append(records[0], of: stream)
    }

    /// The next piece, at most 256 KiB; `nil` after the last.
    ///
    /// - Throws: `.damaged`, `.unsupported`, `.ioError`, `.gone`, `.cancelled`; the document is not
    ///   complete then.
    package mutating func next() async throws(PlaybackError) -> ByteBuffer? {
        while true {
            if Task.isCancelled { throw PlaybackError.cancelled }
            if let piece = try await documents.next() { return piece }
            guard let record = later.popFirst() else { return nil }
            try await documents.append(record, of: stream)
        }
    }
}

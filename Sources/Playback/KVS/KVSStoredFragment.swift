import FragmentLog
import Matroska
import NIOCore

/// A stored fragment on its way into a GetMedia document.
struct KVSStoredFragment: Sendable {
    let record: FragmentRecord
    let header: SegmentHeader
    /// What comes between the header and what ``next()`` gives.
    let start: ByteBuffer
    let tagsAfter: ByteBuffer
    private var rest: StoredPart

    /// Opens the fragment; from here on it stays readable, also when it is deleted meanwhile.
    ///
    /// - Parameters:
    ///   - record: The fragment.
    ///   - stream: Its stream.
    ///   - known: The header of its log segment, where that was read before.
    /// - Throws: `.gone`, `.damaged`, `.ioError`, `.cancelled`.
    init(
        _ record: FragmentRecord,
        of stream: StreamLog,
        header known: SegmentHeader?
    ) async throws(PlaybackError) {
        self.record = record
        let reader: FragmentReader
        do throws(LogError) {
            reader = try await stream.open(record)
            if let known { header = known } else { header = try await stream.header(of: record) }
        } catch {
            throw PlaybackError(error)
        }
        tagsAfter = try await reader.producerTags(.tagsAfter)
        if record.tagsBeforeLength == 0 {
            // Server tags and Cluster lie side by side.
            let extent = record.extent(of: .serverTags)
            start = ByteBuffer()
            rest = StoredPart(
                reader,
                at: extent.offset - record.offset,
                length: extent.length + record.clusterLength
            )
        } else {
            var serverTags = StoredPart(reader, .serverTags)
            var start = try await serverTags.next() ?? ByteBuffer()
            start.writeImmutableBuffer(try await reader.producerTags(.tagsBefore))
            self.start = start
            rest = StoredPart(reader, .cluster)
        }
    }

    /// The next piece up to the Cluster's end; `nil` after it.
    mutating func next() async throws(PlaybackError) -> ByteBuffer? {
        try await rest.next()
    }
}

import FragmentLog
import Matroska
import MediaModel
import NIOCore

/// The header of a log segment, read for output.
struct OutputHeader: Sendable {
    /// What two headers must share so that one document can carry the fragments of both.
    ///
    /// A producer that connects again sends a new SegmentUID or another Title, which nobody needs a
    /// new document for.
    struct Identity: Equatable, Sendable {
        var docType: String
        var timecodeScale: UInt64
        var codecSets: [UInt8: UInt32]
        var encodedTracks: [UInt8]
        var tags: [TagItem]
    }

    /// As it is stored.
    let stored: SegmentHeader
    /// Without Tags that carry names only the server may write.
    let document: DocumentHeader
    let identity: Identity

    /// - Throws: `.damaged` when the bytes cannot be read.
    init(_ stored: SegmentHeader) throws(PlaybackError) {
        self.stored = stored
        let bytes = Self.bytes(of: stored.bytes) { _, isReserved, _ in !isReserved }
        do throws(MatroskaError) {
            document = try DocumentHeader.parse(bytes)
        } catch {
            throw PlaybackError(error, reading: "A stored header")
        }
        identity = Identity(
            docType: document.docType,
            timecodeScale: document.timecodeScale,
            codecSets: Dictionary(
                document.tracks.map { ($0.number, CodecSet.id(of: $0)) },
                uniquingKeysWith: { first, _ in first }
            ),
            encodedTracks: document.encodedTracks,
            tags: document.tags
        )
    }

    /// The header of a GetMedia document: the producer's bytes, but for Tags with reserved names
    /// and, unless it is the first document, Tags before Info (KVS 3.3).
    static func kvs(_ stored: SegmentHeader, isFirst: Bool) -> ByteBuffer {
        bytes(of: stored.bytes) { id, isReserved, isBeforeInfo in
            !isReserved && (isFirst || !(isBeforeInfo && id == ElementPrefix.tags))
        }
    }

    /// The header without the children of Segment that are not wanted; byte for byte the same when
    /// all are.
    private static func bytes(
        of header: ByteBuffer,
        _ isWanted: (_ id: UInt32, _ isReserved: Bool, _ isBeforeInfo: Bool) -> Bool
    ) -> ByteBuffer {
        var rest = header
        // The EBML header, and what may stand between it and the Segment.
        while case .prefix(let prefix) = ElementPrefix.scan(rest) {
            if prefix.id == ElementPrefix.segment {
                rest.moveReaderIndex(forwardBy: prefix.length)
                break
            }
            guard let length = prefix.elementLength, length <= rest.readableBytes else {
                return header
            }
            rest.moveReaderIndex(forwardBy: length)
        }
        let startLength = header.readableBytes - rest.readableBytes
        guard let children = ElementPrefix.elements(of: rest) else { return header }
        let info = children.firstIndex { $0.id == ElementPrefix.info } ?? children.count
        let kept = children.enumerated().filter { index, child in
            isWanted(child.id, ProducerTags.isReserved(child.id, child.bytes), index < info)
        }
        if kept.count == children.count { return header }
        var output = header.getSlice(at: header.readerIndex, length: startLength) ?? ByteBuffer()
        for (_, child) in kept { output.writeImmutableBuffer(child.bytes) }
        return output
    }
}

import MediaModel
import NIOCore

/// The levels above the Cluster.
extension MatroskaParser {
    /// Decides what to do with the element whose head was read.
    mutating func begin(_ head: ElementHead, _ events: inout [Event]) throws(MatroskaError) {
        switch level {
        case .start:
            guard head.id == .ebml else {
                throw invalid(
                    "The document begins with element \(head.id), not with an EBML header"
                )
            }
            try beginHeaderElement(head)
        case .beforeSegment:
            if head.id == .segment {
                beginSegment(head)
            } else if head.id == .void || head.id == .crc32 {
                try beginHeaderElement(head)
            } else {
                throw invalid("Element \(head.id) stands where the Segment was expected")
            }
        case .segment: try beginInSegment(head)
        case .cluster: try beginInCluster(head, &events)
        case .afterSegment:
            guard head.id == .void || head.id == .crc32, let size = head.size else {
                throw invalid("Element \(head.id) follows the Segment; one Segment per document")
            }
            dropHead(head)
            step = .skip(size)
        }
    }

    private mutating func beginSegment(_ head: ElementHead) {
        dropHead(head)
        segmentEnd = head.size.map { position + $0 }
        header?.bytes.writeSegmentHead()
        level = .segment
    }

    /// Decides about a child of the Segment.
    mutating func beginInSegment(_ head: ElementHead) throws(MatroskaError) {
        try check(head, endsBy: segmentEnd)
        switch head.id {
        case .cluster:
            isClusterAnnounced = false
            dropHead(head)
            cluster = ClusterState(end: head.size.map { position + $0 })
            level = .cluster
            return
        case .ebml, .segment:
            throw invalid("A second \(head.id == .ebml ? "EBML header" : "Segment") follows")
        case .timecode, .simpleBlock, .blockGroup:
            throw invalid("Element \(head.id) stands outside any Cluster")
        case .info where header?.hasInfo ?? true, .tracks where header?.hasTracks ?? true:
            throw invalid(
                "A second \(head.id == .info ? "Info" : "Tracks") element, or one after a Cluster, follows"
            )
        default: break
        }
        guard let size = head.size else { throw ElementReader.unknownSize(head.id, position) }
        if header != nil {
            try beginHeaderElement(head)
        } else if head.id == .tags {
            guard size <= Int64(limits.tagsBytes) else {
                throw MatroskaError(
                    .tagsTooLarge,
                    "A Tags element has \(size) bytes where \(limits.tagsBytes) are allowed; send fewer or shorter tags.",
                    at: position
                )
            }
            step = .whole(head)
        } else {
            dropHead(head)
            step = .skip(size)
        }
    }

    private mutating func beginHeaderElement(_ head: ElementHead) throws(MatroskaError) {
        guard let size = head.size else { throw ElementReader.unknownSize(head.id, position) }
        let present = Int64(header?.bytes.readableBytes ?? 0)
        guard present + Int64(head.length) + size <= Int64(limits.headerBytes) else {
            throw MatroskaError(
                .headerTooLarge,
                "With element \(head.id) of \(size) bytes the header exceeds \(limits.headerBytes) bytes; leave out attachments and cues.",
                at: position
            )
        }
        step = .whole(head)
    }

    /// Takes in an element that is there in full.
    mutating func complete(_ element: Element, _ events: inout [Event]) throws(MatroskaError) {
        switch level {
        case .cluster: try completeInCluster(element, &events)
        case .segment where header == nil:
            try element.checkLeadingChecksum()
            events.append(.tags(raw: element.bytes, items: try TagItem.items(of: element)))
        default:
            try header?.add(element, limits)
            if level == .start { level = .beforeSegment }
        }
    }

    /// Says that a Cluster begins, as soon as its id is known.
    mutating func announceCluster(_ events: inout [Event]) throws(MatroskaError) {
        guard level == .segment || level == .cluster, !isClusterAnnounced else { return }
        if level == .cluster {
            guard cluster.end == nil else {
                throw invalid("A Cluster stands inside a Cluster of known size")
            }
            try endCluster(&events)
        }
        if let header {
            guard header.hasTracks else { throw invalid("A Cluster comes before Tracks") }
            try emitHeader(&events)
        }
        isClusterAnnounced = true
        events.append(.clusterStart)
    }

    /// Hands out the header and remembers what blocks need of it.
    mutating func emitHeader(_ events: inout [Event]) throws(MatroskaError) {
        guard let assembly = header else { return }
        let document = try assembly.document()
        tracks = assembly.tracks.map {
            BlockTrack(number: $0.track.number, defaultDuration: $0.defaultDuration)
        }
        timecodeScale = document.timecodeScale
        header = nil
        events.append(.header(document))
    }

    /// Refuses an element that reaches beyond its parent.
    func check(_ head: ElementHead, endsBy end: Int64?) throws(MatroskaError) {
        guard let end else { return }
        guard position + Int64(head.length) + (head.size ?? 0) <= end else {
            throw invalid("Element \(head.id) reaches beyond its parent, which ends at byte \(end)")
        }
    }

    func invalid(_ found: String) -> MatroskaError {
        MatroskaError(.invalidData, "\(found); send one Matroska document.", at: position)
    }
}

import NIOCore

/// Inside a Cluster (RFC 9559, 5.1.3).
extension MatroskaParser {
    /// Decides about a child of the Cluster, or about what ends a Cluster of unknown size.
    mutating func beginInCluster(
        _ head: ElementHead,
        _ events: inout [Event]
    ) throws(MatroskaError) {
        if head.id.isLevel1 {
            guard cluster.end == nil else {
                throw invalid("Element \(head.id) stands inside a Cluster of known size")
            }
            try endCluster(&events)
            return try beginInSegment(head)
        }
        if head.id == .ebml || head.id == .segment {
            throw invalid("A second \(head.id == .ebml ? "EBML header" : "Segment") follows")
        }
        guard let size = head.size else { throw ElementReader.unknownSize(head.id, position) }
        try check(head, endsBy: cluster.end ?? segmentEnd)
        switch head.id {
        case .crc32 where !cluster.hasChildren:
            guard size == 4 else { throw invalid("A CRC-32 of \(size) bytes stands in a Cluster") }
            step = .whole(head)
        case .crc32, .void, .position, .prevSize:
            dropHead(head)
            step = .skip(size)
        default:
            guard size <= Int64(limits.blockBytes) else {
                throw MatroskaError(
                    .blockTooLarge,
                    "Element \(head.id) in a Cluster has \(size) bytes where \(limits.blockBytes) are allowed.",
                    at: position
                )
            }
            step = .whole(head)
        }
        cluster.hasChildren = true
    }

    /// Takes in a child of the Cluster.
    mutating func completeInCluster(
        _ element: Element,
        _ events: inout [Event]
    ) throws(MatroskaError) {
        if element.id == .crc32 {
            cluster.checksum = (try element.checksum(), CRC32())
            return
        }
        cluster.checksum?.running.update(element.bytes)
        switch element.id {
        case .timecode:
            guard cluster.timecode == nil else {
                throw at(element, "A Cluster has a second Timecode")
            }
            let timecode = try element.unsigned()
            guard timecode <= UInt64(Int64.max - Int64(Int16.max)) else {
                throw MatroskaError(
                    .timecodeOutOfRange,
                    "A Cluster has the timecode \(timecode), which leaves no room for its blocks.",
                    at: element.offset
                )
            }
            cluster.timecode = timecode
            events.append(.timecode(timecode))
            events.append(.child(bytes: element.bytes, samples: []))
        case .simpleBlock, .blockGroup:
            guard let timecode = cluster.timecode else {
                throw at(element, "A block comes before the Timecode of its Cluster")
            }
            let reader = BlockReader(
                tracks: tracks,
                timecodeScale: timecodeScale,
                clusterTimecode: Int64(timecode)
            )
            let samples = try reader.samples(of: element)
            events.append(.child(bytes: element.bytes, samples: samples))
        default:
            events.append(.child(bytes: element.bytes, samples: []))
        }
    }

    /// Ends the Cluster.
    mutating func endCluster(_ events: inout [Event]) throws(MatroskaError) {
        guard cluster.timecode != nil else { throw invalid("A Cluster without a Timecode ends") }
        if let (stated, running) = cluster.checksum, stated != running.value {
            throw Element.mismatch(of: .cluster, stated, running.value, position)
        }
        cluster = ClusterState()
        level = .segment
        events.append(.clusterEnd)
    }

    private func at(_ element: Element, _ found: String) -> MatroskaError {
        MatroskaError(.invalidData, "\(found); send valid Clusters.", at: element.offset)
    }
}

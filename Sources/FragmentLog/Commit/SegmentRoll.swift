import MediaModel
import NIOCore

/// Why a log segment ends and the next begins.
enum SegmentRoll: String, Equatable {
    case size
    case duration
    case header
    case producerOrder
    case producerSpan
    case serverClock

    /// What a roll depends on, of the segment under construction.
    struct Segment {
        var header: SegmentHeader
        var bytes: UInt64
        var firstProducer: Timestamp
        var lastProducer: Timestamp
        var firstServer: Timestamp
        var lastServer: Timestamp
    }

    /// Why `next` cannot go into the segment; `nil` when it can.
    ///
    /// Inside one log segment both timestamps are sorted, so that binary search is exact, and the
    /// producer timestamps span little, so that a lookup by time is a bounded range of segments
    /// whatever was backfilled.
    static func reason(
        _ segment: Segment,
        next header: SegmentHeader,
        producer: Timestamp,
        server: Timestamp,
        limits: SegmentRollLimits,
        isRing: Bool
    ) -> SegmentRoll? {
        if segment.header.kind != header.kind || segment.header.bytes != header.bytes {
            return .header
        }
        if segment.bytes >= (isRing ? limits.ringBytes : limits.bytes) { return .size }
        if server < segment.lastServer { return .serverClock }
        let age = server.milliseconds(since: segment.firstServer)
        if age >= (isRing ? limits.ringMilliseconds : limits.milliseconds) { return .duration }
        if producer <= segment.lastProducer { return .producerOrder }
        if producer.milliseconds(since: segment.firstProducer) > limits.producerSpanMilliseconds {
            return .producerSpan
        }
        return nil
    }
}

extension SegmentAppender {
    /// What the next roll depends on; `nil` while the segment is empty.
    ///
    /// - Parameters:
    ///   - firstPending: The first fragment that has no record yet.
    ///   - pending: The last of those.
    /// - Returns: What is there with the pending ones.
    func rollState(firstPending: FragmentRecord?, pending: FragmentRecord?) -> SegmentRoll.Segment?
    {
        guard let first = firstRecord ?? firstPending, let last = pending ?? lastRecord else {
            return nil
        }
        return SegmentRoll.Segment(
            header: header,
            bytes: pending.map { $0.offset + $0.storedLength } ?? length,
            firstProducer: first.producer,
            lastProducer: last.producer,
            firstServer: first.server,
            lastServer: last.server
        )
    }
}

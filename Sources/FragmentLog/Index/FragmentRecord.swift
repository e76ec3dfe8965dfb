import Matroska
package import MediaModel

/// One fragment as the index knows it.
///
/// A stored fragment lies in one piece: sample table, server tags, tags sent before, Cluster, tags
/// sent after. Lengths are in bytes; ``offset`` is where the piece begins in its log segment.
package struct FragmentRecord: Equatable, Sendable {
    /// The fragment's number.
    package var number: FragmentNumber
    /// Position among all fragments ever stored in the stream, from 0.
    package var ordinal: UInt64
    /// Capture time of the first sample, as the producer states it or as it was estimated.
    package var producer: Timestamp
    /// Our clock when the first byte arrived.
    package var server: Timestamp
    /// Length in milliseconds.
    package var durationMilliseconds: UInt32
    /// Samples of all tracks.
    package var sampleCount: UInt32
    /// The producer session, counted per stream from 1.
    package var session: UInt64
    /// Media time of the first sample on its session's own time line, in milliseconds.
    package var mediaTimeMilliseconds: Int64
    /// Where the producer timestamp comes from.
    package var clockSource: ClockSource
    /// How far the producer timestamp may be off, in milliseconds; 0 when unknown or exact.
    package var clockErrorMilliseconds: UInt32
    /// What readers must know.
    package var flags: FragmentFlags
    /// The log segment that holds the fragment.
    package var segment: SegmentID
    /// How far this fragment and those before it in the log segment reach past its start, on the
    /// producer's clock, in milliseconds: what makes a binary search by end exact.
    package var producerReachMilliseconds: UInt32 = 0
    /// The same on the server's clock.
    package var serverReachMilliseconds: UInt32 = 0
    /// Which record of its segment's `.idx` this is, from 0.
    ///
    /// Not stored.
    package var position: UInt32 = 0
    /// Offset of the fragment's first byte in its log segment.
    package var offset: UInt64
    /// Bytes of `Tags{KINELOG_SAMPLES}`.
    package var samplesLength: UInt32
    /// Bytes of the server tags.
    package var serverTagsLength: UInt32
    /// Bytes of the producer's tags sent before the Cluster.
    package var tagsBeforeLength: UInt32
    /// Bytes of the Cluster element.
    package var clusterLength: UInt64
    /// Bytes of the producer's tags sent after the Cluster.
    package var tagsAfterLength: UInt32
    /// CRC-32 of the whole stored fragment.
    package var fragmentCRC: UInt32

    /// Bytes of the whole stored fragment.
    package var storedLength: UInt64 { UInt64(samplesLength) + servedLength }

    /// Bytes from the server tags on: what GetMedia serves.
    package var servedLength: UInt64 {
        UInt64(serverTagsLength) + UInt64(tagsBeforeLength) + clusterLength
            + UInt64(tagsAfterLength)
    }

    /// The end on the producer's clock: start plus duration.
    package var producerEnd: Timestamp {
        producer.advanced(byMilliseconds: Int64(durationMilliseconds))
    }

    /// The end on our clock: start plus duration.
    package var serverEnd: Timestamp {
        server.advanced(byMilliseconds: Int64(durationMilliseconds))
    }

    /// The start on one of the clocks.
    package func start(on clock: StreamClock) -> Timestamp {
        clock == .producer ? producer : server
    }

    /// The latest end of this fragment and those before it in the log segment.
    func reach(on clock: StreamClock) -> Timestamp {
        clock == .producer
            ? producer.advanced(byMilliseconds: Int64(producerReachMilliseconds))
            : server.advanced(byMilliseconds: Int64(serverReachMilliseconds))
    }

    /// Fills in what depends on the place in the log segment.
    mutating func place(after previous: FragmentRecord?) {
        position = previous.map { $0.position + 1 } ?? 0
        func reach(_ clock: StreamClock) -> UInt32 {
            let latest = max(previous?.reach(on: clock) ?? end(on: clock), end(on: clock))
            return UInt32(clamping: latest.milliseconds(since: start(on: clock)))
        }
        producerReachMilliseconds = reach(.producer)
        serverReachMilliseconds = reach(.server)
    }

    /// The end on one of the clocks.
    package func end(on clock: StreamClock) -> Timestamp {
        clock == .producer ? producerEnd : serverEnd
    }
}

extension FragmentRecord {
    /// What the index says of a fragment, taken from its stored bytes.
    init(_ fragment: StoredFragment, segment: SegmentID) {
        let table = fragment.table
        self.init(
            number: fragment.number,
            ordinal: table.ordinal,
            producer: table.producerTimestamp,
            server: table.serverTimestamp,
            durationMilliseconds: UInt32(clamping: table.durationMilliseconds),
            sampleCount: UInt32(clamping: table.samples.count),
            session: table.session,
            mediaTimeMilliseconds: table.mediaTimeMilliseconds,
            clockSource: table.clockSource,
            clockErrorMilliseconds: UInt32(clamping: table.clockErrorMilliseconds),
            flags: table.flags,
            segment: segment,
            offset: UInt64(clamping: fragment.offset),
            samplesLength: UInt32(clamping: fragment.samplesTagsLength),
            serverTagsLength: UInt32(clamping: fragment.serverTagsLength),
            tagsBeforeLength: UInt32(clamping: fragment.tagsBeforeLength),
            clusterLength: UInt64(clamping: fragment.clusterLength),
            tagsAfterLength: UInt32(clamping: fragment.tagsAfterLength),
            fragmentCRC: fragment.fragmentCRC
        )
    }
}

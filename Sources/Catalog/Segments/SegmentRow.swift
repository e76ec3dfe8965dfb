package import MediaModel

/// What the catalog knows of one log segment.
package struct SegmentRow: Equatable, Sendable {
    /// The stream it belongs to.
    package var stream: StreamID

    /// The number of its first fragment, which also names its files.
    package var first: FragmentNumber

    /// The ordinal of its first fragment.
    package var firstOrdinal: UInt64

    /// Who wrote its header.
    package var kind: SegmentKind

    /// Where it is in its life.
    package var state: SegmentState

    /// The length of the Matroska header at the start of the `.mkv`.
    package var headerByteCount: UInt64

    /// The producer timestamp of its first fragment, the least in it.
    package var producerStart: Timestamp

    /// The server timestamp of its first fragment, the least in it.
    package var serverStart: Timestamp

    /// What it holds; `nil` while it is open.
    package var extent: SegmentExtent?

    /// For a suspect one, the bytes of the `.mkv` known to be on disk; what lies beyond is ignored.
    package var durableByteCount: UInt64?

    /// A row from its parts; an open segment without the last two.
    package init(
        stream: StreamID,
        first: FragmentNumber,
        firstOrdinal: UInt64,
        kind: SegmentKind,
        state: SegmentState = .open,
        headerByteCount: UInt64,
        producerStart: Timestamp,
        serverStart: Timestamp,
        extent: SegmentExtent? = nil,
        durableByteCount: UInt64? = nil
    ) {
        self.stream = stream
        self.first = first
        self.firstOrdinal = firstOrdinal
        self.kind = kind
        self.state = state
        self.headerByteCount = headerByteCount
        self.producerStart = producerStart
        self.serverStart = serverStart
        self.extent = extent
        self.durableByteCount = durableByteCount
    }
}

/// What a log segment holds, known once it is closed.
package struct SegmentExtent: Equatable, Sendable {
    /// How many fragments; at least 1.
    package var fragmentCount: UInt64

    /// The number of the last fragment.
    package var last: FragmentNumber

    /// The greatest end of a fragment on the producer's clock.
    package var producerEnd: Timestamp

    /// The server timestamp of the last fragment plus its duration.
    package var serverEnd: Timestamp

    /// The length of the `.mkv`, header included.
    package var byteCount: UInt64

    /// An extent from its parts.
    package init(
        fragmentCount: UInt64,
        last: FragmentNumber,
        producerEnd: Timestamp,
        serverEnd: Timestamp,
        byteCount: UInt64
    ) {
        self.fragmentCount = fragmentCount
        self.last = last
        self.producerEnd = producerEnd
        self.serverEnd = serverEnd
        self.byteCount = byteCount
    }
}

/// Who wrote a log segment's header, and how its cluster times are meant.
package enum SegmentKind: Int64, Sendable, CaseIterable {
    /// Our own header; cluster times are producer timestamps.
    case own = 0
    /// A PutMedia producer's header, verbatim; cluster times are absolute.
    case putMedia = 1
    /// A PutMedia producer's header, verbatim; cluster times count from the session's start.
    case putMediaRelative = 2
}

/// Where a log segment is in its life.
package enum SegmentState: Int64, Sendable, CaseIterable {
    /// Being appended to; its extent is not known.
    case open = 0
    /// Complete, durable, never written again.
    case sealed = 1
    /// Closed after a sync failed; good up to its durable length.
    case suspect = 2
    /// Invisible; its files are being removed.
    case deleting = 3
}

/// Sums over the log segments of a stream that are not being deleted.
package struct SegmentTotals: Equatable, Sendable {
    /// How many log segments, open ones included.
    package var segmentCount: UInt64

    /// Fragments in them; those of open segments are not counted.
    package var fragmentCount: UInt64

    /// Bytes of their `.mkv` files; those of open segments are not counted.
    package var byteCount: UInt64

    /// No log segment at all.
    static let none = SegmentTotals(segmentCount: 0, fragmentCount: 0, byteCount: 0)

    /// Totals from their parts.
    package init(segmentCount: UInt64, fragmentCount: UInt64, byteCount: UInt64) {
        self.segmentCount = segmentCount
        self.fragmentCount = fragmentCount
        self.byteCount = byteCount
    }
}

package import MediaModel
package import NIOCore

/// What is known about a fragment when its first byte arrives.
package struct FragmentOpening: Sendable {
    /// The header of the log segment the fragment belongs in.
    package var header: SegmentHeader
    /// The tracks as the sample table names them.
    package var tracks: [SampleTrack]
    /// Capture time of the first sample.
    package var producer: Timestamp
    /// When the first byte arrived; `nil` for now.
    package var server: Timestamp?
    /// Where `producer` comes from.
    package var clockSource: ClockSource
    /// How far `producer` may be off, in milliseconds.
    package var clockErrorMilliseconds: UInt32
    /// Media time of the first sample on the session's time line, in milliseconds.
    package var mediaTimeMilliseconds: Int64
    /// Facts known at the start.
    package var flags: FragmentFlags
    /// The producer's Tags elements sent before the Cluster, verbatim.
    package var tagsBefore: ByteBuffer

    /// An opening from its parts.
    package init(
        header: SegmentHeader,
        tracks: [SampleTrack],
        producer: Timestamp,
        server: Timestamp? = nil,
        clockSource: ClockSource,
        clockErrorMilliseconds: UInt32 = 0,
        mediaTimeMilliseconds: Int64,
        flags: FragmentFlags = [],
        tagsBefore: ByteBuffer = ByteBuffer()
    ) {
        self.header = header
        self.tracks = tracks
        self.producer = producer
        self.server = server
        self.clockSource = clockSource
        self.clockErrorMilliseconds = clockErrorMilliseconds
        self.mediaTimeMilliseconds = mediaTimeMilliseconds
        self.flags = flags
        self.tagsBefore = tagsBefore
    }
}

/// What is known about a fragment only when it ends.
package struct FragmentClosing: Sendable {
    /// Length in milliseconds.
    package var durationMilliseconds: UInt32
    /// Added to the opening's flags; `.incomplete` keeps the fragment without acknowledging it.
    package var flags: FragmentFlags
    /// The producer's Tags elements sent after the Cluster, verbatim.
    package var tagsAfter: ByteBuffer
    /// Decode times of the samples in the order they were appended; `nil` keeps those given then.
    package var decodeTimes: [Int64]?

    /// A closing from its parts.
    package init(
        durationMilliseconds: UInt32,
        flags: FragmentFlags = [],
        tagsAfter: ByteBuffer = ByteBuffer(),
        decodeTimes: [Int64]? = nil
    ) {
        self.durationMilliseconds = durationMilliseconds
        self.flags = flags
        self.tagsAfter = tagsAfter
        self.decodeTimes = decodeTimes
    }
}

package import MediaModel

/// What the cutter wants done, in order.
package enum CutAction: Equatable, Sendable {
    /// A fragment begins.
    case open(FragmentStart)

    /// The sample goes into the open fragment, so many milliseconds from the Cluster's timecode; with
    /// the CodecDelay of an Opus track, which readers subtract again.
    case append(IngestSample, offset: Int16)

    /// The open fragment is complete.
    case close(FragmentEnd)

    /// Footage is missing; times are on the producer clock, session and number are not filled in.
    case gap(Gap)
}

/// How a fragment begins.
package struct FragmentStart: Equatable, Sendable {
    /// Producer time of the governing track's first sample; the Cluster's timecode.
    package var producer: Timestamp

    /// Presentation time of that sample on the session's own time line, in milliseconds.
    package var mediaTimeMs: Int64

    /// Where producer times come from.
    package var clockSource: ClockSource

    /// How far off they are known to be, in milliseconds.
    package var clockErrorMs: UInt32

    /// `discontinuity`, `openGOP` and `dependent`, as far as they hold.
    package var flags: FragmentFlags

    /// The tracks of the header that the fragment needs, in order of their numbers.
    package var tracks: [Track]
}

/// How a fragment ends.
package struct FragmentEnd: Equatable, Sendable {
    /// From its first governing sample to the next fragment's, or to the end of its last.
    package var durationMs: UInt32

    /// Flags to add to the opening's: `dtsAdjusted`.
    package var flags: FragmentFlags
}

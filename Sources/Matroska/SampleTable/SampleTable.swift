package import MediaModel

/// What is stored beside a fragment's Cluster: its place in the stream and where and when each
/// sample is.
///
/// The bytes (`encode()`, `init(decoding:)`) are a stored format; all integers are LEB128 unless
/// said otherwise, `z` is zigzag LEB128:
///
/// ```
/// version u8 = 1
/// ordinal · session · z producer ms · z server ms · duration ms · clock source ·
/// clock error ms · flags · z media time ms
/// tags-before length · Cluster length · tags-after length · tags CRC-32 (4 bytes, little-endian)
/// track count, then per track:
///     number · time base numerator · denominator · codec set · sample count ·
///     z first DTS · z first PTS
/// sample count, then six columns over all samples in Cluster order:
///     track · skipped bytes · size · z DTS delta · z (PTS - DTS) · sync
/// ```
///
/// A column begins with one byte that says how it goes on: 0 for plain values, 1 for (run length,
/// value) pairs; runs are written where they are shorter. "Skipped" counts from the end of the
/// sample before, for the first one from the first byte of the Cluster's data. A DTS delta counts
/// from the sample before of the same track and is zero for a track's first.
package struct SampleTable: Equatable, Sendable {
    /// Position among all fragments ever stored in the stream.
    package var ordinal: UInt64

    /// The producer session that sent the fragment.
    package var session: UInt64

    /// Capture time of the first sample.
    package var producerTimestamp: Timestamp

    /// When the fragment's first byte arrived.
    package var serverTimestamp: Timestamp

    /// How long the fragment lasts.
    package var durationMilliseconds: UInt64

    /// Where `producerTimestamp` comes from.
    package var clockSource: ClockSource

    /// By how much `producerTimestamp` may be off.
    package var clockErrorMilliseconds: UInt64

    /// Facts that readers must know.
    package var flags: FragmentFlags

    /// Where the fragment begins on its session's own time line.
    package var mediaTimeMilliseconds: Int64

    /// Bytes of the producer's Tags before the Cluster.
    package var tagsBeforeLength: UInt64

    /// Bytes of the whole Cluster element.
    package var clusterLength: UInt64

    /// Bytes of the producer's Tags after the Cluster.
    package var tagsAfterLength: UInt64

    /// CRC-32 of the producer's Tags, those before then those after; zero when there are none.
    package var tagsCRC: UInt32

    /// The tracks of the session, of different numbers, whether or not they have samples here.
    package var tracks: [SampleTrack]

    /// The samples in Cluster order; none overlaps another.
    package var samples: [SampleEntry]

    /// A table from its parts; the lengths are zero until the Cluster is complete.
    package init(
        ordinal: UInt64,
        session: UInt64,
        producerTimestamp: Timestamp,
        serverTimestamp: Timestamp,
        durationMilliseconds: UInt64,
        clockSource: ClockSource,
        clockErrorMilliseconds: UInt64 = 0,
        flags: FragmentFlags = [],
        mediaTimeMilliseconds: Int64 = 0,
        tagsBeforeLength: UInt64 = 0,
        clusterLength: UInt64 = 0,
        tagsAfterLength: UInt64 = 0,
        tagsCRC: UInt32 = 0,
        tracks: [SampleTrack],
        samples: [SampleEntry]
    ) {
        self.ordinal = ordinal
        self.session = session
        self.producerTimestamp = producerTimestamp
        self.serverTimestamp = serverTimestamp
        self.durationMilliseconds = durationMilliseconds
        self.clockSource = clockSource
        self.clockErrorMilliseconds = clockErrorMilliseconds
        self.flags = flags
        self.mediaTimeMilliseconds = mediaTimeMilliseconds
        self.tagsBeforeLength = tagsBeforeLength
        self.clusterLength = clusterLength
        self.tagsAfterLength = tagsAfterLength
        self.tagsCRC = tagsCRC
        self.tracks = tracks
        self.samples = samples
    }

    /// The version byte that is written, and the only one that is read.
    static let version: UInt8 = 1

    /// The most samples a table may have.
    package static let sampleCountMax = 1_000_000

    /// The most bytes an encoded table may have.
    package static let byteCountMax = 16 << 20

    /// The most tracks a table may have: every TrackNumber once.
    package static let trackCountMax = 127

    static func invalid(_ found: String, at index: Int? = nil) -> MatroskaError {
        MatroskaError(.invalidTable, "A sample table \(found).", at: index.map(Int64.init))
    }
}

/// One sample of a fragment: where its bytes lie and when it is decoded and shown.
package struct SampleEntry: Equatable, Sendable {
    /// TrackNumber of the sample's track.
    package var track: UInt8

    /// Where the sample's bytes begin, counted from the first byte of the Cluster's data (after the
    /// Cluster's id and size).
    package var offset: UInt64

    /// The sample's length in bytes.
    package var size: UInt32

    /// Decode time in ticks of the track's time base, on the session's time line.
    package var dts: Int64

    /// Presentation time in ticks of the track's time base, on the session's time line.
    package var pts: Int64

    /// Whether decoding can start here.
    package var isSync: Bool

    /// A sample from its parts.
    package init(
        track: UInt8,
        offset: UInt64,
        size: UInt32,
        dts: Int64,
        pts: Int64,
        isSync: Bool
    ) {
        self.track = track
        self.offset = offset
        self.size = size
        self.dts = dts
        self.pts = pts
        self.isSync = isSync
    }
}

/// A track as the sample table knows it.
package struct SampleTrack: Equatable, Sendable {
    /// TrackNumber.
    package var number: UInt8

    /// The ticks of the track's sample times.
    package var timeBase: TimeBase

    /// Tells sets of codec parameters apart: equal sets have equal ids (see `CodecSet`).
    package var codecSet: UInt32

    /// A track from its parts.
    package init(number: UInt8, timeBase: TimeBase, codecSet: UInt32) {
        self.number = number
        self.timeBase = timeBase
        self.codecSet = codecSet
    }
}

package import MediaModel
package import NIOCore

/// One sample on its way into a fragment.
package struct IngestSample: Equatable, Sendable {
    /// TrackNumber.
    package var track: UInt8

    /// The sample as it is stored.
    package var payload: ByteBuffer

    /// Decode time in ticks of the track, increasing within a track but for jumps.
    package var dts: Int64

    /// Presentation time in ticks of the track.
    package var pts: Int64

    /// How long it lasts in ticks; zero when not known.
    package var duration: Int64

    /// Whether decoding can start here.
    package var isSync: Bool

    /// A sync sample whose leading samples may refer to pictures before it.
    package var startsOpenGOP: Bool

    /// Whether the decode time was moved to keep decode times increasing.
    package var isDTSAdjusted: Bool

    /// The track as it is from this sample on, where codec parameters changed or became known.
    package var newTrack: Track?

    /// When its bytes arrived.
    package var arrival: Arrival

    /// A sample from its parts.
    package init(
        track: UInt8,
        payload: ByteBuffer,
        dts: Int64,
        pts: Int64,
        duration: Int64 = 0,
        isSync: Bool,
        startsOpenGOP: Bool = false,
        isDTSAdjusted: Bool = false,
        newTrack: Track? = nil,
        arrival: Arrival
    ) {
        self.track = track
        self.payload = payload
        self.dts = dts
        self.pts = pts
        self.duration = duration
        self.isSync = isSync
        self.startsOpenGOP = startsOpenGOP
        self.isDTSAdjusted = isDTSAdjusted
        self.newTrack = newTrack
        self.arrival = arrival
    }

    var size: Int { payload.readableBytes }
}

/// A sample with its times in milliseconds of media time, rounded to the nearest.
struct TimedSample: Sendable {
    var sample: IngestSample
    var dtsMs: Int64
    var ptsMs: Int64

    /// Gives `nil` for times beyond what is taken from outside.
    init?(_ sample: IngestSample, timeBase: TimeBase) {
        guard let dtsMs = timeBase.milliseconds(sample.dts),
            let ptsMs = timeBase.milliseconds(sample.pts),
            TimeLimits.accepts(dtsMs), TimeLimits.accepts(ptsMs)
        else { return nil }
        self.sample = sample
        self.dtsMs = dtsMs
        self.ptsMs = ptsMs
    }
}

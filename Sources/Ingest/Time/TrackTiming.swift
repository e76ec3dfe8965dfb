package import MediaModel

/// The times of one track as they are stored: on the grid of audio samples where that is finer than
/// the source's ticks, with decode times where the source has none.
package struct TrackTiming: Sendable {
    /// The track with the time base of the stored times.
    package private(set) var track: Track

    private let source: Track
    private var grid: AudioGrid?
    private var decodeTimes: DecodeTimes
    private let statesDecodeTimes: Bool

    /// Timing for a track.
    ///
    /// - Parameters:
    ///   - source: The track in its source's ticks.
    ///   - statesDecodeTimes: Whether the source gives decode times.
    ///   - reorderDepth: Frames of delay where it does not.
    ///   - frameTicks: The usual length of a frame in source ticks; zero when not known.
    ///   - limits: What counts as a jump.
    package init(
        source: Track,
        statesDecodeTimes: Bool,
        reorderDepth: Int,
        frameTicks: Int64 = 0,
        limits: TimeLimits = TimeLimits()
    ) {
        self.source = source
        self.statesDecodeTimes = statesDecodeTimes
        track = source
        grid = AudioGrid(source)
        if let grid {
            track.timeBase = grid.timeBase
            let length = source.timeBase.rescale(Int64(source.defaultDuration), to: grid.timeBase)
            track.defaultDuration = length.flatMap { UInt32(exactly: $0) } ?? 0
        }
        decodeTimes = DecodeTimes(
            timeBase: track.timeBase,
            reorderDepth: reorderDepth,
            frameTicks: frameTicks,
            limits: limits
        )
    }

    /// Takes over new codec parameters that leave the ticks as they are.
    package mutating func update(_ track: Track) {
        precondition(track.timeBase == self.track.timeBase, "new ticks need a new timing")
        self.track = track
    }

    /// The stored times of the next sample in decode order.
    ///
    /// - Parameters:
    ///   - pts: Presentation time in source ticks.
    ///   - dts: Decode time in source ticks; ignored where the source does not state them.
    ///   - duration: The sample's length in source ticks; zero when not known.
    ///   - payload: The sample; the first bytes of an Opus packet tell its length.
    /// - Returns: Times and duration in ticks of ``track``; `nil` for a sample without a usable
    ///   time that does not follow from the one before.
    package mutating func next(
        pts: Int64?,
        dts: Int64?,
        duration: Int64,
        payload: some Collection<UInt8>
    ) -> (times: DecodeTimes.Times, duration: Int64)? {
        guard grid != nil else {
            let times = decodeTimes.next(
                pts: pts,
                dts: statesDecodeTimes ? dts : nil,
                duration: duration
            )
            return times.map { ($0, max(0, duration)) }
        }
        // Every frame of AAC and Opus is shown in the order it is decoded.
        let placed = grid?.place(pts ?? dts, payload: payload)
        let length = grid?.frameLength ?? 0
        return decodeTimes.next(pts: placed, dts: placed, duration: length).map { ($0, length) }
    }
}

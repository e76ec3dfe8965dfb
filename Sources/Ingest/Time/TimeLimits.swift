import MediaModel

/// What counts as a jump of a track's times.
package struct TimeLimits: Sendable {
    /// A step back of up to this much is an irregularity (decode times are raised); more is a jump.
    package var backwardMs: Int64 = 500

    /// A step forward of up to this much is a pause within a fragment; more is a jump.
    package var forwardMs: Int64 = 10_000

    /// A presentation time up to this far from its decode time is reordering; more is a jump.
    ///
    /// Twice ``forwardMs``, for pictures that come that seldom and are reordered by two.
    package var reorderMs: Int64 = 20_000

    /// Limits with their defaults.
    package init() {}

    /// The largest time that is taken from outside, in ticks or milliseconds of either sign.
    ///
    /// Differences and small multiples of such values fit 64 bits.
    static let timeMax: Int64 = 1 << 58

    /// Milliseconds as ticks, at least one.
    static func ticks(_ milliseconds: Int64, in timeBase: TimeBase) -> Int64 {
        let ticks = TimeBase.milliseconds.rescale(milliseconds, to: timeBase) ?? timeMax
        return min(max(ticks, 1), timeMax)
    }

    static func accepts(_ time: Int64) -> Bool {
        time >= -timeMax && time <= timeMax
    }
}

package import MediaModel

/// The decode times of one track, given by the source or made here.
///
/// A source that gives them keeps them; only times that do not increase are raised to the previous
/// one plus a tick. Where the first sample has none (PutMedia, Matroska), every decode time is the
/// smallest presentation time that a decoder with the stream's reorder delay has not yet put out, so
/// that it never exceeds the sample's own; a sample that needs a longer delay gets its presentation
/// time, raised to the previous decode time plus a tick, and is flagged. Presentation times never
/// change. After a jump (``TimeLimits``) the times start anew.
package struct DecodeTimes: Sendable {
    /// The times of one sample, in ticks of the track.
    package struct Times: Equatable, Sendable {
        /// Presentation time.
        package var pts: Int64
        /// Decode time.
        package var dts: Int64
        /// Whether the decode time had to be raised.
        package var isAdjusted: Bool

        /// Times from their parts.
        package init(pts: Int64, dts: Int64, isAdjusted: Bool = false) {
            self.pts = pts
            self.dts = dts
            self.isAdjusted = isAdjusted
        }
    }

    /// The deepest reordering that H.264 and H.265 allow (ISO/IEC 14496-10, A.3.1).
    package static let reorderDepthMax = 16

    private enum Mode { case undecided, given, derived }

    private let reorderDepth: Int
    private let frameTicks: Int64
    private let backwardTicks: Int64
    private let forwardTicks: Int64
    private var mode = Mode.undecided

    /// Presentation times not yet used as decode times, ascending; as many as the reorder depth.
    private var waiting: [Int64] = []
    private var last: Int64?
    private var lastStep: Int64 = 0

    /// Decode times for one track.
    ///
    /// - Parameters:
    ///   - timeBase: The track's ticks.
    ///   - reorderDepth: Frames of delay where the source gives no decode times (``ReorderDepth``).
    ///   - frameTicks: The usual length of a frame in ticks; zero when not known (1/30 s is then
    ///     assumed for the delay of the first frames).
    ///   - limits: What counts as a jump.
    package init(
        timeBase: TimeBase,
        reorderDepth: Int,
        frameTicks: Int64 = 0,
        limits: TimeLimits = TimeLimits()
    ) {
        self.reorderDepth = min(max(reorderDepth, 0), Self.reorderDepthMax)
        let assumed = Int64(timeBase.denominator) / (30 * Int64(timeBase.numerator))
        let known = frameTicks > 0 && frameTicks < TimeLimits.timeMax / 64
        self.frameTicks = known ? frameTicks : max(1, assumed)
        backwardTicks = TimeLimits.ticks(limits.backwardMs, in: timeBase)
        forwardTicks = TimeLimits.ticks(limits.forwardMs, in: timeBase)
    }

    /// The times of the next sample in decode order.
    ///
    /// - Parameters:
    ///   - pts: Presentation time as the source gives it.
    ///   - dts: Decode time as the source gives it; ignored when the track's first sample had none.
    ///   - duration: The sample's length in ticks; zero when not known.
    /// - Returns: Both times; `nil` for a sample without a usable time that does not follow from the
    ///   one before.
    package mutating func next(pts: Int64?, dts: Int64?, duration: Int64 = 0) -> Times? {
        let pts = pts.flatMap { TimeLimits.accepts($0) ? $0 : nil }
        let dts = dts.flatMap { TimeLimits.accepts($0) ? $0 : nil }
        if mode == .undecided {
            if dts != nil {
                mode = .given
            } else if pts != nil {
                mode = .derived
            } else {
                return nil
            }
        }
        defer { if duration > 0, duration < forwardTicks { lastStep = duration } }
        return switch mode {
        case .given: keep(pts: pts, dts: dts)
        default: derive(pts: pts)
        }
    }

    private mutating func keep(pts: Int64?, dts: Int64?) -> Times? {
        guard let dts = dts ?? following() else {
            return pts.map { keepKnown(pts: $0, dts: $0) }
        }
        return keepKnown(pts: pts ?? dts, dts: dts)
    }

    private mutating func keepKnown(pts: Int64, dts: Int64) -> Times {
        guard let last, dts <= last, last - dts <= backwardTicks else {
            if let last, dts > last { lastStep = min(dts - last, forwardTicks) }
            last = dts
            return Times(pts: pts, dts: dts)
        }
        let raised = last + 1
        self.last = raised
        return Times(pts: pts, dts: raised, isAdjusted: true)
    }

    /// Where a sample without any time belongs: right after the one before it.
    private func following() -> Int64? {
        guard let last, lastStep > 0, last < TimeLimits.timeMax else { return nil }
        return last + lastStep
    }

    private mutating func derive(pts: Int64?) -> Times? {
        guard let pts = pts ?? (reorderDepth == 0 ? following() : nil) else { return nil }
        let newest = waiting.last ?? last
        if let last, let newest,
            last - pts > backwardTicks || pts - newest > forwardTicks
        {
            self.last = nil
        }
        if last == nil {
            waiting = (0..<reorderDepth).map { pts - Int64(reorderDepth - $0) * frameTicks }
        }
        var index = waiting.count
        while index > 0, waiting[index - 1] > pts { index -= 1 }
        waiting.insert(pts, at: index)
        let candidate = waiting.removeFirst()
        guard let last, candidate <= last else {
            if let last { lastStep = min(candidate - last, forwardTicks) }
            last = candidate
            return Times(pts: pts, dts: candidate)
        }
        self.last = last + 1
        return Times(pts: pts, dts: last + 1, isAdjusted: true)
    }
}

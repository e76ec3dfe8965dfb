package import MediaModel

/// Puts AAC and Opus times that a source rounded to coarse ticks back on the grid of audio samples.
///
/// Matroska and FLV round to milliseconds, which makes frames of 1 024 samples 21 and 22 ms long in
/// turn. Here each frame follows the one before by its own length in samples, moved only as far as
/// rounding it to the source's ticks still gives the source's time, so that nothing is lost. A time
/// more than one source tick off starts the grid anew. Sources with ticks finer than one audio
/// sample (MPEG-TS) keep their ticks.
package struct AudioGrid: Sendable {
    /// One tick per audio sample: the time base of the times this gives.
    package let timeBase: TimeBase

    private let source: TimeBase
    private let aacFrameLength: Int64
    private let isOpus: Bool

    /// One source tick in grid ticks, rounded up.
    private let tickLength: Int64
    private var expected: Int64?

    /// The newest frame's length in samples; zero when it is not known.
    package private(set) var frameLength: Int64 = 0

    /// A grid for a track whose source ticks are coarser than its audio samples.
    ///
    /// Gives `nil` for other codecs, for unreadable parameters and for finer ticks.
    package init?(_ track: Track) {
        let rate: UInt32
        switch track.codec {
        case .aac:
            guard let config = try? AudioSpecificConfig(track.codecPrivate.span) else { return nil }
            rate = config.sampleRate
            aacFrameLength = Int64(config.frameSampleCount)
            isOpus = false
        case .opus:
            rate = 48_000
            aacFrameLength = 0
            isOpus = true
        default: return nil
        }
        guard let timeBase = TimeBase.audio(sampleRate: rate) else { return nil }
        self.timeBase = timeBase
        source = track.timeBase
        let numerator = UInt64(source.numerator) * UInt64(rate)
        let denominator = UInt64(source.denominator)
        guard numerator > denominator else { return nil }
        tickLength = Int64(clamping: numerator / denominator).saturatingAdding(1)
    }

    /// The grid time of the next frame.
    ///
    /// - Parameters:
    ///   - ticks: The frame's time in source ticks; `nil` to follow the frame before.
    ///   - payload: The frame's first bytes; Opus states its length there (RFC 6716, 3.1).
    /// - Returns: `nil` when there is no time to go by, or it does not fit.
    package mutating func place(_ ticks: Int64?, payload: some Collection<UInt8>) -> Int64? {
        let length = isOpus ? OpusPacket.sampleCount(payload).map(Int64.init) : aacFrameLength
        let placed: Int64
        if let ticks {
            guard TimeLimits.accepts(ticks),
                let stated = source.rescale(ticks, to: timeBase), TimeLimits.accepts(stated)
            else { return nil }
            placed = nearest(to: expected, stated: stated, ticks: ticks)
        } else if let expected {
            placed = expected
        } else {
            return nil
        }
        expected = length.map { placed + $0 }
        frameLength = length ?? 0
        return placed
    }

    /// The grid time closest to the expected one that the source would round to `ticks`.
    private func nearest(to expected: Int64?, stated: Int64, ticks: Int64) -> Int64 {
        guard let expected, (expected - stated).magnitude <= UInt64(tickLength) else {
            return stated
        }
        let reach = tickLength / 2 + 1
        var placed = min(max(expected, stated - reach), stated + reach)
        let direction: Int64 = placed > stated ? -1 : 1
        while placed != stated, timeBase.rescale(placed, to: source) != ticks {
            placed += direction
        }
        return placed
    }
}

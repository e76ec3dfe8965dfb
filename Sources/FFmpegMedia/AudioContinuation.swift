import CFFmpeg
import MediaModel

/// Gives times to audio frames whose container states none, each where the one before it ended.
///
/// A PES packet of MPEG-TS holds several frames and one timestamp. The time is computed from the
/// last stated one and the samples since, so that rounding never adds up.
struct AudioContinuation {
    private let timeBase: TimeBase
    private var sampleRate: UInt32
    private var frameSampleCount: UInt32

    /// The newest stated time and the samples that came from it on.
    private var anchor: (ticks: Int64, sampleCount: Int64)?

    /// A continuation for an audio track.
    ///
    /// Gives `nil` for other tracks.
    init?(
        _ track: DemuxedTrack,
        _ parameters: AVCodecParameters,
        _ normalizer: SampleNormalizer,
        startsAtZero: Bool
    ) {
        guard track.kind == .audio else { return nil }
        if startsAtZero { anchor = (0, 0) }
        timeBase = track.timeBase
        sampleRate = track.sampleRate
        frameSampleCount = unsafe UInt32(clamping: parameters.frame_size)
        update(from: normalizer)
    }

    /// A continuation with a known frame length.
    init(timeBase: TimeBase, sampleRate: UInt32, frameSampleCount: UInt32) {
        self.timeBase = timeBase
        self.sampleRate = sampleRate
        self.frameSampleCount = frameSampleCount
    }

    /// Takes rate and frame length from an AAC set-up.
    mutating func update(from normalizer: SampleNormalizer) {
        if let header = normalizer.adtsHeader {
            set(sampleRate: header.sampleRate, frameSampleCount: 1024)
        } else if let configuration = try? AudioSpecificConfig(normalizer.codecPrivate.span) {
            set(
                sampleRate: configuration.sampleRate,
                frameSampleCount: configuration.frameSampleCount
            )
        }
    }

    /// Takes rate and frame length from a frame.
    mutating func update(from header: AudioFrameHeader) {
        set(sampleRate: header.sampleRate, frameSampleCount: header.frameSampleCount)
    }

    private mutating func set(sampleRate: UInt32, frameSampleCount: UInt32) {
        if let current = end { anchor = (current, 0) }
        self.sampleRate = sampleRate
        self.frameSampleCount = frameSampleCount
    }

    /// The time of the next frame.
    ///
    /// - Parameters:
    ///   - stated: What the container states, if it does.
    ///   - duration: What the container says about its length, in ticks; zero when it does not.
    ///   - sampleCount: The frame's own length in samples, where frames differ.
    /// - Returns: `nil` while nothing was stated.
    mutating func next(
        stated: Int64?,
        duration: Int64 = 0,
        sampleCount: UInt32? = nil
    ) -> Int64? {
        if let stated { anchor = (stated, 0) }
        guard let time = end else { return nil }
        let count = sampleCount ?? frameSampleCount
        if count > 0, sampleRate > 0 {
            anchor?.sampleCount += Int64(count)
        } else {
            let (sum, overflow) = time.addingReportingOverflow(duration)
            anchor = duration > 0 && !overflow ? (sum, 0) : nil
        }
        return time
    }

    /// Where the newest frame ends; `nil` while nothing was stated or the frame length is unknown.
    var end: Int64? {
        guard let anchor else { return nil }
        if anchor.sampleCount == 0 { return anchor.ticks }
        guard let unit = TimeBase.audio(sampleRate: sampleRate),
            let length = unit.rescale(anchor.sampleCount, to: timeBase)
        else { return nil }
        let (sum, overflow) = anchor.ticks.addingReportingOverflow(length)
        return overflow ? nil : sum
    }
}

import MediaModel

/// What the cutter knows of a track.
struct CutTrack: Sendable {
    /// The track as the newest sample has it.
    var track: Track { didSet { blockDelayMs = Self.blockDelayMs(of: track) } }

    /// How much later than its sample is presented a block is, in milliseconds: the header states a
    /// CodecDelay, which readers subtract (RFC 9559, 5.1.4.1.25).
    private(set) var blockDelayMs: Int64

    /// Whether the parameters suffice for a header.
    var isReady: Bool

    /// Whether the open fragment's header describes the track as it is now.
    var isDescribed = false

    /// The newest decode time since the last jump, in milliseconds; `nil` after one.
    var lastDTSMs: Int64?

    /// The newest decode time before the last jump, until the track has followed it.
    var beforeJumpDTSMs: Int64?

    /// The newest step of the decode time, in milliseconds: what a sample lasts unless it says so.
    var stepMs: Int64 = 0

    init(track: Track, isReady: Bool) {
        self.track = track
        self.isReady = isReady
        blockDelayMs = Self.blockDelayMs(of: track)
    }

    private static func blockDelayMs(of track: Track) -> Int64 {
        (Int64(track.opusPreSkip ?? 0) * 1000 + 24_000) / 48_000
    }

    /// How long a sample lasts, in milliseconds.
    func durationMs(of sample: IngestSample) -> Int64 {
        let ticks = sample.duration > 0 ? sample.duration : Int64(track.defaultDuration)
        guard ticks > 0, let duration = track.timeBase.milliseconds(ticks), duration < 60_000
        else { return stepMs }
        return duration
    }
}

/// The fragment that samples go into.
struct CutFragment: Sendable {
    /// Media time of the Cluster's timecode, in milliseconds.
    let startMs: Int64

    /// Decode time of the first sample, in milliseconds.
    let startDTSMs: Int64

    /// Producer time of `startMs`.
    let producer: Timestamp

    /// Whether it does not begin with a sync sample.
    let isDependent: Bool

    /// Payload bytes so far.
    var byteCount = 0

    /// Samples so far.
    var sampleCount = 0

    /// Where the governing track's samples end so far, and where any do.
    var governingEndMs: Int64?
    var endMs: Int64

    /// Flags that turn up on the way.
    var flags: FragmentFlags = []

    init(first: TimedSample, producer: Timestamp, isDependent: Bool) {
        startMs = first.ptsMs
        startDTSMs = first.dtsMs
        endMs = first.ptsMs
        self.producer = producer
        self.isDependent = isDependent
    }

    /// The offset of a sample's block, where one can say it (RFC 9559, 10.1).
    func offset(of sample: TimedSample, in track: CutTrack) -> Int16? {
        Int16(exactly: sample.ptsMs - startMs + track.blockDelayMs)
    }

    mutating func add(_ sample: IngestSample, endMs: Int64, isGoverning: Bool) {
        byteCount += sample.size
        sampleCount += 1
        if sample.isDTSAdjusted { flags.insert(.dtsAdjusted) }
        self.endMs = max(self.endMs, endMs)
        if isGoverning { governingEndMs = max(governingEndMs ?? endMs, endMs) }
    }
}

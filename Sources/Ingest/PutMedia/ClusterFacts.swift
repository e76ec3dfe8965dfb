import Matroska
import MediaModel

/// What the blocks of one Cluster say about the fragment: its length and how it starts.
struct ClusterFacts {
    /// The Cluster's timecode as received.
    let timecode: UInt64

    /// The same in milliseconds.
    let startMs: Int64

    /// Bytes and samples of its children.
    var byteCount = 0
    private(set) var sampleCount = 0

    private struct Extent {
        var first: Int64
        var last: Int64
        var lastDuration: Int64?
        var count = 1
    }

    private var governing: Extent?
    private var any: Extent?

    /// Whether the first sample of the governing track is a sync sample; `nil` before it came.
    private(set) var startsWithSync: Bool?

    init(timecode: UInt64, startMs: Int64) {
        self.timecode = timecode
        self.startMs = startMs
    }

    mutating func add(_ sample: BlockSample, isGoverning: Bool, isSync: Bool) {
        sampleCount += 1
        Self.extend(&any, by: sample)
        if isGoverning {
            Self.extend(&governing, by: sample)
            if startsWithSync == nil { startsWithSync = isSync }
        }
    }

    private static func extend(_ extent: inout Extent?, by sample: BlockSample) {
        guard var known = extent else {
            extent = Extent(
                first: sample.timecode,
                last: sample.timecode,
                lastDuration: sample.duration
            )
            return
        }
        known.first = min(known.first, sample.timecode)
        if sample.timecode >= known.last {
            known.last = sample.timecode
            known.lastDuration = sample.duration
        }
        known.count += 1
        extent = known
    }

    /// The fragment's length in milliseconds (KVS 2.4).
    ///
    /// The last frame's time plus how long it lasts, as BlockDuration, DefaultDuration or the mean of
    /// the gaps says; the distance to the next Cluster where that is within 50 ms of it.
    ///
    /// - Parameters:
    ///   - nextStartMs: The next Cluster's timecode in milliseconds, where that ended the fragment.
    ///   - timeBase: Ticks of all timecodes.
    ///   - defaultDuration: Ticks per frame of the governing track; zero when not stated.
    /// - Returns: Zero for a single frame of unknown length with nothing behind it.
    func durationMs(nextStartMs: Int64?, timeBase: TimeBase, defaultDuration: UInt32) -> UInt32 {
        var estimate: Int64 = 0
        if let extent = governing ?? any {
            let span = extent.last.saturatingSubtracting(extent.first)
            let mean = extent.count > 1 ? span / Int64(extent.count - 1) : 0
            let isStated = defaultDuration > 0 && governing != nil
            let stated = isStated ? Int64(defaultDuration) : mean
            let end = extent.last.saturatingAdding(max(0, extent.lastDuration ?? stated))
            let endMs = timeBase.milliseconds(end) ?? startMs
            estimate = max(0, endMs.saturatingSubtracting(startMs))
        }
        if let nextStartMs {
            let distance = nextStartMs.saturatingSubtracting(startMs)
            if distance > 0, abs(distance.saturatingSubtracting(estimate)) <= 50 {
                estimate = distance
            }
        }
        return UInt32(clamping: estimate)
    }
}

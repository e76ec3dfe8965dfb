import Ingest
import MediaModel
import NIOCore

/// Feeds a cutter and keeps what comes out, in a form that tests can compare.
struct CutRun {
    /// One fragment as it came out of the cutter.
    struct Fragment {
        var start: FragmentStart
        var samples: [(sample: IngestSample, offset: Int16)] = []
        var end: FragmentEnd?

        var trackNumbers: Set<UInt8> { Set(samples.map(\.sample.track)) }
    }

    static let video = Track(
        number: 1,
        kind: .video,
        codecID: "V_MPEG4/ISO/AVC",
        codecPrivate: [1],
        timeBase: .mpegTS,
        width: 64,
        height: 48
    )
    static let audio = Track(
        number: 2,
        kind: .audio,
        codecID: "A_AAC",
        codecPrivate: [0x11, 0x90],
        timeBase: .mpegTS,
        sampleRate: 48_000,
        channelCount: 2
    )

    /// 2026-11-21T10:00:00Z.
    static let epoch = Timestamp(milliseconds: 1_795_255_200_000)

    var cutter: FragmentCutter
    var fragments: [Fragment] = []
    var gaps: [Gap] = []
    var openCount = 0
    private var isOpen = false

    init(
        _ tracks: [Track] = [video, audio],
        clock: SessionClock = .starting(at: epoch),
        limits: CutterLimits = CutterLimits()
    ) {
        cutter = FragmentCutter(clock: clock, limits: limits)
        for track in tracks { cutter.setTrack(track, isReady: true) }
    }

    /// Feeds one sample; times in milliseconds.
    mutating func feed(
        _ track: UInt8,
        _ ptsMs: Int64,
        dts dtsMs: Int64? = nil,
        sync: Bool = true,
        duration: Int64 = 0,
        size: Int = 10,
        openGOP: Bool = false,
        adjusted: Bool = false,
        newTrack: Track? = nil,
        arrivalMs: Int64? = nil
    ) throws {
        let at = arrivalMs ?? 0
        let sample = IngestSample(
            track: track,
            payload: ByteBuffer(repeating: track, count: size),
            dts: (dtsMs ?? ptsMs) * 90,
            pts: ptsMs * 90,
            duration: duration * 90,
            isSync: sync,
            startsOpenGOP: openGOP,
            isDTSAdjusted: adjusted,
            newTrack: newTrack,
            arrival: Arrival(wall: Self.epoch.advanced(byMilliseconds: at), bootMs: at)
        )
        var actions: [CutAction] = []
        try cutter.append(sample, into: &actions)
        perform(actions)
    }

    /// Feeds 25 pictures a second with a sync sample every `gop` ms and, with `audio`, sound in
    /// frames of 20 ms.
    mutating func feedMedia(
        from start: Int64 = 0,
        to end: Int64,
        gop: Int64 = 2000,
        firstSync: Int64? = nil,
        audio: Bool = true
    ) throws {
        var time = start
        while time < end {
            if (time - start) % 40 == 0 {
                let isSync = (time - (firstSync ?? start)) % gop == 0 && time >= firstSync ?? start
                try feed(1, time, sync: isSync, duration: 40)
            }
            if audio { try feed(2, time, duration: 20) }
            time += 20
        }
    }

    mutating func end() {
        perform(cutter.end())
    }

    mutating func perform(_ actions: [CutAction]) {
        for action in actions {
            switch action {
            case .open(let start):
                precondition(!isOpen, "a fragment opens inside another")
                isOpen = true
                openCount += 1
                fragments.append(Fragment(start: start))
            case .append(let sample, let offset):
                precondition(isOpen, "a sample outside any fragment")
                fragments[fragments.count - 1].samples.append((sample, offset))
            case .close(let end):
                precondition(isOpen, "a close without an open")
                isOpen = false
                fragments[fragments.count - 1].end = end
            case .gap(let gap): gaps.append(gap)
            }
        }
    }

    var starts: [Int64] { fragments.map { $0.start.producer.milliseconds(since: Self.epoch) } }
    var durations: [UInt32?] { fragments.map(\.end?.durationMs) }
    var flags: [FragmentFlags] { fragments.map(\.start.flags) }
    var sampleCount: Int { fragments.reduce(0) { $0 + $1.samples.count } }
    var droppedCount: Int { gaps.reduce(0) { $0 + Int($1.sampleCount) } }
}

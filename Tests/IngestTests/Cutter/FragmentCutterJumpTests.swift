import Ingest
import MediaModel
import Testing

@Suite struct FragmentCutterJumpTests {
    @Test func `a second recording behind the first goes on where that ended`() throws {
        var run = CutRun()
        try run.feedMedia(from: 1400, to: 5400)
        try run.feedMedia(from: 1400, to: 3400)
        run.end()
        #expect(run.starts == [0, 2000, 4000])
        #expect(run.flags == [[], [], .discontinuity])
        #expect(run.fragments.map(\.start.mediaTimeMs) == [1400, 3400, 1400])
        #expect(run.durations == [2000, 2000, 2000])
        #expect(run.gaps.map(\.reason) == [.timestampJump])
        #expect(run.gaps.map { $0.start.milliseconds(since: CutRun.epoch) } == [4000])
        #expect(run.gaps.map { $0.end.milliseconds(since: CutRun.epoch) } == [4000])
        #expect(run.sampleCount == 300 + 150)
    }

    @Test func `sound that jumps a little before the pictures is kept`() throws {
        var run = CutRun()
        try run.feedMedia(from: 100_000, to: 104_000)
        for time in stride(from: Int64(0), to: 100, by: 20) { try run.feed(2, time) }
        try run.feed(1, 103_960 + 40, sync: false)
        try run.feedMedia(from: 100, to: 2100)
        run.end()
        #expect(run.flags == [[], [], .discontinuity])
        let offsets = run.fragments[2].samples.filter { $0.sample.track == 2 }.map(\.offset)
        #expect(offsets.prefix(6) == [-100, -80, -60, -40, -20, 0])
        #expect(run.droppedCount == 0)
    }

    @Test func `sound of the old time line behind a jump is counted and not misplaced`() throws {
        var run = CutRun()
        try run.feedMedia(from: 1400, to: 4400)
        try run.feed(1, 1400, sync: true)
        try run.feed(2, 4400)
        try run.feed(2, 4420)
        try run.feedMedia(from: 1440, to: 3400, firstSync: 99_000)
        run.end()
        #expect(run.starts == [0, 2000, 3000])
        #expect(run.droppedCount == 2)
        #expect(run.fragments[2].samples.allSatisfy { $0.offset >= 0 && $0.offset < 2000 })
    }

    @Test func `a pause of less than ten seconds stays inside the fragment`() throws {
        var run = CutRun()
        try run.feedMedia(to: 1000)
        try run.feedMedia(from: 9000, to: 10_000, firstSync: 99_000)
        run.end()
        #expect(run.starts == [0])
        #expect(run.gaps.isEmpty)
    }

    @Test func `a longer pause is a gap of its length`() throws {
        var run = CutRun()
        try run.feedMedia(to: 2000)
        try run.feedMedia(from: 62_000, to: 64_000)
        run.end()
        #expect(run.starts == [0, 62_000])
        #expect(run.flags == [[], .discontinuity])
        #expect(run.gaps.map(\.reason) == [.timestampJump])
        #expect(run.gaps[0].start.milliseconds(since: CutRun.epoch) == 2000)
        #expect(run.gaps[0].end.milliseconds(since: CutRun.epoch) == 62_000)
    }

    @Test func `an absurd jump forward does not move producer time`() throws {
        var run = CutRun()
        try run.feedMedia(to: 2000)
        try run.feedMedia(from: 95_443_000, to: 95_445_000)
        run.end()
        #expect(run.starts == [0, 2000])
        #expect(run.flags == [[], .discontinuity])
    }

    @Test func `pictures behind a jump are kept as dependent until the next sync sample`() throws {
        var run = CutRun()
        try run.feedMedia(to: 2000)
        try run.feedMedia(from: 100_000, to: 103_000, firstSync: 101_000)
        run.end()
        #expect(run.flags == [[], [.dependent, .discontinuity], []])
        #expect(run.fragments.map(\.start.mediaTimeMs) == [0, 100_000, 101_000])
        #expect(run.droppedCount == 0)
    }

    @Test func `a single wild time of the sound is dropped and nothing else`() throws {
        var run = CutRun()
        try run.feedMedia(to: 1000)
        try run.feed(2, 900_000)
        try run.feedMedia(from: 1000, to: 4000, firstSync: 2000)
        run.end()
        #expect(run.starts == [0, 2000])
        #expect(run.flags == [[], []])
        #expect(run.gaps.map(\.reason) == [.timestampJump])
        #expect(run.droppedCount == 1)
    }

    @Test func `sound on another time line for good is counted and reported once a minute`() throws
    {
        var run = CutRun()
        for second in Int64(0)..<180 {
            try run.feed(1, second * 1000)
            for frame in Int64(0)..<50 { try run.feed(2, 9_000_000 + second * 1000 + frame * 20) }
        }
        run.end()
        #expect(run.fragments.count == 180)
        #expect(run.fragments.allSatisfy { $0.samples.count == 1 })
        #expect(run.droppedCount == 9000)
        #expect(run.gaps.count <= 4)
    }

    @Test func `sound that steps back starts a new time line at the next cut`() throws {
        var run = CutRun()
        try run.feedMedia(to: 3000)
        // From here the sound is 2 s earlier than it was.
        var time: Int64 = 3000
        while time < 8000 {
            if time % 40 == 0 { try run.feed(1, time, sync: time % 2000 == 0) }
            try run.feed(2, time - 2000)
            time += 20
        }
        run.end()
        #expect(run.flags == [[], [], .discontinuity, []])
        #expect(run.starts == [0, 2000, 4000, 6000])
        #expect(run.droppedCount == 0)
    }

    @Test func `a picture whose presentation time lies out of reach is dropped`() throws {
        var run = CutRun()
        try run.feed(1, 0)
        try run.feed(1, 60_000, dts: 40, sync: false)
        try run.feed(1, 80, dts: 80, sync: false)
        run.end()
        #expect(run.fragments.count == 1)
        #expect(run.sampleCount == 2)
        #expect(run.gaps.map(\.reason) == [.timestampJump])
    }

    @Test func `a gap of single samples claims no more than their time`() throws {
        var run = CutRun()
        try run.feedMedia(to: 1000)
        try run.feed(2, 900_000)
        try run.feedMedia(from: 1000, to: 131_000, firstSync: 2000)
        #expect(run.gaps.map(\.reason) == [.timestampJump])
        #expect(run.gaps.map(\.sampleCount) == [1])
        // The sample came when the media stood there; everything else is stored.
        #expect(run.gaps.map { $0.start.milliseconds(since: CutRun.epoch) } == [1000])
        #expect(run.gaps.map { $0.end.milliseconds(since: CutRun.epoch) } == [1000])
        run.end()
        #expect(run.gaps.count == 1)
    }

    @Test(arguments: [true, false])
    func `one picture far ahead of its decode time does not move the time line`(
        isSync: Bool
    ) throws {
        var run = CutRun()
        try run.feedMedia(to: 2000)
        // Twenty minutes ahead, but decoded where it belongs.
        try run.feed(1, 1_202_000, dts: 2000, sync: isSync)
        try run.feedMedia(from: 2040, to: 6040)
        run.end()
        #expect(run.starts == [0, 2040, 4040])
        #expect(run.durations == [2040, 2000, 2000])
        #expect(run.flags == [[], [], []])
        #expect(run.gaps.map(\.reason) == [.timestampJump])
        #expect(run.droppedCount == 1)
    }

    /// Every sample is either in a fragment or counted in a gap, whatever its times.
    @Test(arguments: UInt64(0)..<200)
    func `no sample is lost without being counted`(seed: UInt64) throws {
        var random = SplitMix(seed: seed)
        var limits = CutterLimits()
        limits.maximumBytes = 5000
        limits.heldCountMax = 100
        limits.heldBytesMax = 4000
        let clock: SessionClock = seed % 2 == 0 ? .arrival : .starting(at: CutRun.epoch)
        var run = CutRun([CutRun.video], clock: clock, limits: limits)
        if Bool.random(using: &random) { run.cutter.setTrack(CutRun.audio, isReady: false) }
        var times: [Int64] = [0, 0]
        var fed = 0
        for step in Int64(0)..<1000 {
            let track = Int.random(in: 0..<2, using: &random)
            if track == 1 {
                run.cutter.setTrack(CutRun.audio, isReady: step > 100)
            }
            switch Int.random(in: 0..<100, using: &random) {
            case 0: times[track] = Int64.random(in: -100_000...100_000, using: &random)
            case 1: times[track] = Int64.random(in: .min / 200 ... .max / 200, using: &random)
            case 2: times[track] -= Int64.random(in: 0...3000, using: &random)
            case 3: times[track] += Int64.random(in: 0...30_000, using: &random)
            case 4:
                times[0] += 50_000
                times[1] += 50_000
            default: times[track] += 40
            }
            times[track] = min(max(times[track], .min / 200), .max / 200)
            let shift = Int.random(in: 0..<30, using: &random) == 0 ? Int64(40_000) : 80
            try run.feed(
                UInt8(track + 1),
                times[track] + (track == 0 ? shift : 0),
                dts: times[track],
                sync: track == 1 || Int.random(in: 0..<20, using: &random) == 0,
                size: Int.random(in: 0...400, using: &random),
                arrivalMs: step * 40
            )
            fed += 1
        }
        run.end()
        #expect(run.sampleCount + run.droppedCount == fed)
        #expect(run.fragments.allSatisfy { $0.end != nil && !$0.samples.isEmpty })
        #expect(run.fragments.allSatisfy { $0.start.producer.milliseconds >= 0 })
        for gap in run.gaps { #expect(gap.start <= gap.end) }
    }
}

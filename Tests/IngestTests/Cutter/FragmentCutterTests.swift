import Ingest
import MediaModel
import NIOCore
import Testing

@Suite struct FragmentCutterTests {
    @Test func `fragments begin at the sync samples of the first video track`() throws {
        var run = CutRun()
        try run.feedMedia(to: 7000)
        run.end()
        #expect(run.starts == [0, 2000, 4000, 6000])
        #expect(run.durations == [2000, 2000, 2000, 1000])
        #expect(run.flags == [[], [], [], []])
        #expect(run.fragments.map(\.start.mediaTimeMs) == [0, 2000, 4000, 6000])
        #expect(run.fragments.allSatisfy { $0.samples[0].sample.track == 1 })
        #expect(run.fragments[1].samples.count == 150)
        #expect(run.gaps.isEmpty)
    }

    @Test(arguments: [
        (Int64(1000), Int64(480), [Int64(0), 1440, 2880]),
        (1, 480, [0, 480, 960, 1440, 1920, 2400, 2880]),
    ])
    func `a fragment is no shorter than the minimum`(
        minimum: Int64,
        gop: Int64,
        starts: [Int64]
    ) throws {
        var limits = CutterLimits()
        limits.minimumMs = minimum
        var run = CutRun(limits: limits)
        try run.feedMedia(to: 3000, gop: gop)
        run.end()
        #expect(run.starts == starts)
    }

    @Test(arguments: [Int64(480), 1000])
    func `a maximum that is not above the minimum loses no picture`(maximum: Int64) throws {
        var limits = CutterLimits()
        limits.minimumMs = 1000
        limits.maximumMs = maximum
        var run = CutRun(limits: limits)
        // Pictures that others refer to are decoded further ahead than the sync sample.
        for index in Int64(0)..<100 {
            let time = index * 40
            try run.feed(1, time, dts: time - (index == 0 ? 40 : 120), sync: index == 0)
        }
        run.end()
        #expect(run.droppedCount == 0)
        #expect(run.sampleCount == 100)
        #expect(run.starts == Array(stride(from: Int64(0), to: 4000, by: Int(maximum))))
        #expect(run.flags.dropFirst().allSatisfy { $0 == .dependent })
    }

    @Test func `sound alone is cut every two seconds`() throws {
        var run = CutRun([CutRun.audio])
        for time in stride(from: Int64(0), to: 5000, by: 20) {
            try run.feed(2, time, duration: 20)
        }
        run.end()
        #expect(run.starts == [0, 2000, 4000])
        #expect(run.durations == [2000, 2000, 1000])
        #expect(run.flags == [[], [], []])
    }

    @Test func `data alone is cut every two seconds whatever its sync flags`() throws {
        let data = Track(number: 3, kind: .data, codecID: "D_X", timeBase: .mpegTS)
        var run = CutRun([data])
        for time in stride(from: Int64(0), to: 5000, by: 500) {
            try run.feed(3, time, sync: false)
        }
        run.end()
        #expect(run.starts == [0, 2000, 4000])
    }

    @Test func `the timecode is the first picture in decode order and blocks count from it`() throws
    {
        var run = CutRun()
        // I0 P3 B1 B2 with the sound that arrives in between.
        try run.feed(1, 120, dts: 0, sync: true)
        try run.feed(2, 100)
        try run.feed(1, 240, dts: 40, sync: false)
        try run.feed(1, 160, dts: 80, sync: false)
        try run.feed(2, 121)
        run.end()
        #expect(run.starts == [0])
        #expect(run.fragments[0].start.mediaTimeMs == 120)
        #expect(run.fragments[0].samples.map(\.offset) == [0, -20, 120, 40, 1])
    }

    @Test func `block times are rounded to the nearest millisecond`() throws {
        var run = CutRun([CutRun.video])
        for (pts, sync) in [(Int64(134), true), (3137, false), (3180, false)] {
            let sample = IngestSample(
                track: 1,
                payload: .init(),
                dts: pts,
                pts: pts,
                isSync: sync,
                arrival: Arrival(wall: CutRun.epoch, bootMs: 0)
            )
            var actions: [CutAction] = []
            try run.cutter.append(sample, into: &actions)
            run.perform(actions)
        }
        run.end()
        // 1.49 ms is 1, 34.86 ms is 35, 35.33 ms is 35.
        #expect(run.fragments[0].samples.map(\.offset) == [0, 34, 34])
        #expect(run.fragments[0].start.mediaTimeMs == 1)
    }

    @Test func `sound of the last five seconds goes into the first fragment and the rest is a gap`()
        throws
    {
        var run = CutRun()
        try run.feedMedia(to: 9000, gop: 2000, firstSync: 8000)
        run.end()
        #expect(run.fragments.count == 1)
        let offsets = run.fragments[0].samples.filter { $0.sample.track == 2 }.map(\.offset)
        #expect(offsets.first == -5000)
        #expect(offsets.last == 980)
        #expect(run.fragments[0].samples[0].sample.isSync)
        // 200 pictures before 8.0 s and 150 frames of sound before 3.0 s.
        #expect(run.gaps.count == 1)
        #expect(run.gaps[0].reason == .noSync)
        #expect(run.gaps[0].sampleCount == 350)
        #expect(run.gaps[0].byteCount == 3500)
        #expect(run.gaps[0].start == CutRun.epoch)
        #expect(run.gaps[0].end == run.fragments[0].start.producer)
    }

    @Test func `a session without any sync sample is one gap`() throws {
        var run = CutRun()
        try run.feedMedia(to: 3000, gop: 100_000, firstSync: 90_000)
        run.end()
        #expect(run.fragments.isEmpty)
        #expect(run.gaps.map(\.reason) == [.noSync])
        #expect(run.droppedCount == 75 + 150)
    }

    @Test func `a long group of pictures goes on in dependent fragments`() throws {
        var run = CutRun()
        try run.feedMedia(to: 50_000, gop: 45_000)
        run.end()
        #expect(run.starts == [0, 20_000, 40_000, 45_000])
        #expect(run.flags == [[], .dependent, .dependent, []])
        #expect(run.durations == [20_000, 20_000, 5000, 5000])
        #expect(run.sampleCount == 50 * 75)
    }

    @Test func `a dependent fragment ends at the next sync sample however short it is`() throws {
        var run = CutRun()
        // Every group of pictures is a little over the maximum.
        try run.feedMedia(to: 62_000, gop: 20_400)
        run.end()
        #expect(run.starts == [0, 20_000, 20_400, 40_400, 40_800, 60_800, 61_200])
        #expect(run.flags == [[], .dependent, [], .dependent, [], .dependent, []])
        #expect(run.durations == [20_000, 400, 20_000, 400, 20_000, 400, 800])
        #expect(run.sampleCount == 62 * 75)
    }

    @Test func `the maximum cannot exceed what block offsets can say`() {
        var limits = CutterLimits()
        limits.maximumMs = 100_000
        #expect(limits.maximumMs == 32_000)
    }

    @Test func `a group of pictures with too many bytes goes on in a dependent fragment`() throws {
        var limits = CutterLimits()
        limits.maximumBytes = 1000
        var run = CutRun([CutRun.video], limits: limits)
        for index in Int64(0)..<10 { try run.feed(1, index * 40, sync: index == 0, size: 300) }
        run.end()
        #expect(run.fragments.map(\.samples.count) == [3, 3, 3, 1])
        #expect(run.flags == [[], .dependent, .dependent, .dependent])
    }

    @Test func `a sample larger than a fragment is an error that names it`() throws {
        var limits = CutterLimits()
        limits.maximumBytes = 1000
        var run = CutRun(limits: limits)
        let error = #expect(throws: IngestError.self) { try run.feed(1, 0, size: 1001) }
        #expect(error?.code == .fragmentTooLarge)
        #expect(
            error?.message
                == "A sample of track 1 has 1001 bytes where a fragment may have 1000; lower the bit rate."
        )
    }

    @Test func `an open group of pictures is flagged`() throws {
        var run = CutRun()
        try run.feed(1, 0)
        try run.feed(1, 2000, openGOP: true)
        try run.feed(1, 4000)
        run.end()
        #expect(run.flags == [[], .openGOP, []])
    }

    @Test func `a raised decode time flags its fragment alone`() throws {
        var run = CutRun()
        try run.feed(1, 0)
        try run.feed(1, 40, sync: false, adjusted: true)
        try run.feed(1, 2000)
        run.end()
        #expect(run.fragments.map(\.end?.flags) == [.dtsAdjusted, []])
    }

    @Test func `new parameters begin a fragment at once with a new header`() throws {
        var run = CutRun()
        try run.feedMedia(to: 400)
        var changed = CutRun.video
        changed.codecPrivate = [2]
        try run.feed(1, 400, sync: true, newTrack: changed)
        try run.feed(1, 440, sync: false)
        run.end()
        #expect(run.starts == [0, 400])
        #expect(run.fragments.map { $0.start.tracks[0].codecPrivate } == [[1], [2]])
        #expect(run.flags == [[], []])
    }

    @Test func `new parameters of the sound wait for the next cut`() throws {
        var run = CutRun()
        try run.feedMedia(to: 400)
        var changed = CutRun.audio
        changed.codecPrivate = [0x12, 0x10]
        try run.feed(2, 400, newTrack: changed)
        try run.feed(2, 420)
        try run.feed(1, 2000, sync: true)
        try run.feed(2, 2000)
        run.end()
        #expect(run.starts == [0, 2000])
        #expect(run.fragments[0].start.tracks[1].codecPrivate == [0x11, 0x90])
        #expect(run.fragments[1].start.tracks[1].codecPrivate == [0x12, 0x10])
        #expect(run.fragments[1].samples.map(\.offset) == [0, -1600, -1580, 0])
    }

    @Test func `a track that turns up later is in the header of the next fragment`() throws {
        var run = CutRun([CutRun.video])
        try run.feedMedia(to: 1000, audio: false)
        run.cutter.setTrack(CutRun.audio, isReady: true)
        try run.feedMedia(from: 1000, to: 4000, firstSync: 2000)
        run.end()
        #expect(run.fragments.map { $0.start.tracks.map(\.number) } == [[1], [1, 2]])
        #expect(run.fragments[0].trackNumbers == [1])
        #expect(run.fragments[1].samples.filter { $0.sample.track == 2 }.count == 150)
        #expect(run.gaps.isEmpty)
    }

    @Test func `a new track waits no longer than five seconds`() throws {
        var run = CutRun([CutRun.video])
        try run.feedMedia(to: 1000, gop: 15_000, audio: false)
        run.cutter.setTrack(CutRun.audio, isReady: true)
        try run.feedMedia(from: 1000, to: 10_000, gop: 15_000, firstSync: 15_000)
        run.end()
        // The cut is where the waiting ends, not where it began: the fragment before it holds the
        // pictures up to here.
        #expect(run.starts == [0, 6000])
        #expect(run.durations == [6000, 4000])
        #expect(run.flags == [[], .dependent])
        #expect(run.fragments[1].samples.map(\.offset).prefix(3) == [-5000, -4980, -4960])
        #expect(run.sampleCount == 250 + 450)
    }

    @Test func `the first fragment waits until the parameters of all tracks are known`() throws {
        var run = CutRun([CutRun.video])
        run.cutter.setTrack(CutRun.audio, isReady: false)
        try run.feed(1, 0)
        try run.feed(1, 40, sync: false)
        #expect(run.fragments.isEmpty)
        try run.feed(2, 0, newTrack: CutRun.audio)
        #expect(run.fragments.map { $0.start.tracks.map(\.number) } == [[1, 2]])
        #expect(run.fragments[0].samples.map(\.offset) == [0, 40, 0])
    }

    @Test
    func `a track that stays unknown for a second is left out of the header until it is known`()
        throws
    {
        var run = CutRun([CutRun.video])
        run.cutter.setTrack(CutRun.audio, isReady: false)
        try run.feed(1, 0)
        try run.feed(2, 0)
        try run.feed(1, 1000, sync: false)
        #expect(run.fragments.map { $0.start.tracks.map(\.number) } == [[1]])
        try run.feed(2, 1000, newTrack: CutRun.audio)
        try run.feed(1, 2000)
        run.end()
        #expect(run.fragments.map { $0.start.tracks.map(\.number) } == [[1], [1, 2]])
        #expect(run.fragments[1].samples.map(\.offset) == [0, -2000, -1000])
    }

    @Test func `pictures wait until their parameters are known`() throws {
        var run = CutRun([])
        run.cutter.setTrack(CutRun.video, isReady: false)
        try run.feed(1, 0, sync: true)
        try run.feed(1, 40, sync: false)
        try run.feed(1, 2000, sync: true, newTrack: CutRun.video)
        run.end()
        #expect(run.starts == [2000])
        #expect(run.droppedCount == 2)
    }

    @Test func `sound is kept where the video track never sends a picture`() throws {
        var run = CutRun()
        for time in stride(from: Int64(0), to: 9000, by: 20) { try run.feed(2, time, duration: 20) }
        run.end()
        #expect(run.starts == [0, 2000, 4000, 6000, 8000])
        #expect(run.sampleCount == 450)
        #expect(run.gaps.isEmpty)
    }

    @Test func `pictures that come late take over at their first sync sample`() throws {
        var run = CutRun()
        for time in stride(from: Int64(0), to: 6500, by: 20) { try run.feed(2, time, duration: 20) }
        try run.feedMedia(from: 6500, to: 12_000, firstSync: 7300)
        run.end()
        #expect(run.starts == [0, 2000, 4000, 6000, 7300, 9300, 11_300])
        #expect(run.fragments[4].samples[0].sample.track == 1)
        #expect(run.gaps.map(\.sampleCount) == [20])
        #expect(run.gaps.map(\.reason) == [.noSync])
    }

    @Test func `a silent picture track does not stop the sound`() throws {
        var run = CutRun()
        try run.feedMedia(to: 2000)
        for time in stride(from: Int64(2000), to: 60_000, by: 20) { try run.feed(2, time) }
        try run.feedMedia(from: 60_000, to: 61_000)
        run.end()
        #expect(run.starts.last == 60_000)
        #expect(run.flags == [[], .dependent, .dependent, []])
        #expect(run.sampleCount == 150 + 2900 + 75)
        #expect(run.gaps.isEmpty)
    }
}

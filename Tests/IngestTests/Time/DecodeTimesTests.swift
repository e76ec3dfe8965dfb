import Ingest
import MediaModel
import Testing

@Suite struct DecodeTimesTests {
    private static func derived(
        _ pts: [Int64],
        depth: Int,
        frame: Int64 = 40
    ) -> [DecodeTimes.Times?] {
        var times = DecodeTimes(timeBase: .milliseconds, reorderDepth: depth, frameTicks: frame)
        return pts.map { times.next(pts: $0, dts: nil) }
    }

    @Test(arguments: [
        // I P P P.
        (0, [0, 40, 80, 120], [0, 40, 80, 120]),
        (2, [0, 40, 80, 120], [-80, -40, 0, 40]),
        // I P B B P B B with one frame of reordering.
        (1, [0, 120, 40, 80, 240, 160, 200], [-40, 0, 40, 80, 120, 160, 200]),
        // A pyramid: I P B b b.
        (2, [0, 160, 80, 40, 120, 320, 240, 200, 280], [-80, -40, 0, 40, 80, 120, 160, 200, 240]),
        // Irregular frames.
        (1, [0, 100, 33, 300, 150], [-40, 0, 33, 100, 150]),
    ])
    func `decode times are the presentation times in order behind the reorder delay`(
        depth: Int,
        pts: [Int64],
        dts: [Int64]
    ) {
        let times = Self.derived(pts, depth: depth)
        #expect(times.map { $0?.dts } == dts)
        #expect(times.map { $0?.pts } == pts)
        #expect(times.allSatisfy { $0?.isAdjusted == false })
    }

    @Test func `a sample that needs a longer delay gets its own time raised and a flag`() {
        let times = Self.derived([0, 160, 80, 40, 120, 200], depth: 1)
        #expect(times.map { $0?.dts } == [-40, 0, 80, 81, 120, 160])
        #expect(times.map { $0?.isAdjusted } == [false, false, false, true, false, false])
        #expect(times[3]?.pts == 40)
    }

    @Test func `equal presentation times give increasing decode times`() {
        let times = Self.derived([0, 0, 0, 40], depth: 0)
        #expect(times.map { $0?.dts } == [0, 1, 2, 40])
        #expect(times.map { $0?.isAdjusted } == [false, true, true, false])
    }

    @Test func `given decode times are kept and only raised where they do not increase`() {
        var times = DecodeTimes(timeBase: .mpegTS, reorderDepth: 2)
        let given: [Int64] = [0, 3600, 3600, 3599, 7200]
        let made = given.map { times.next(pts: $0 + 7200, dts: $0) }
        #expect(made.map { $0?.dts } == [0, 3600, 3601, 3602, 7200])
        #expect(made.map { $0?.isAdjusted } == [false, false, true, true, false])
        #expect(made.map { $0?.pts } == given.map { $0 + 7200 })
    }

    @Test func `decode times that the source drops later are continued`() {
        var times = DecodeTimes(timeBase: .mpegTS, reorderDepth: 0)
        #expect(times.next(pts: 0, dts: 0, duration: 1920)?.dts == 0)
        #expect(times.next(pts: nil, dts: nil, duration: 1920)?.dts == 1920)
        #expect(times.next(pts: nil, dts: nil, duration: 1920)?.pts == 3840)
        #expect(times.next(pts: 5760, dts: nil)?.dts == 5760)
    }

    @Test func `a step back starts anew`() {
        var times = DecodeTimes(timeBase: .milliseconds, reorderDepth: 2, frameTicks: 40)
        let pts: [Int64] = [100_000, 100_040, 100_080, 0, 40, 80]
        #expect(
            pts.map { times.next(pts: $0, dts: nil)?.dts }
                == [99_920, 99_960, 100_000, -80, -40, 0]
        )
        var given = DecodeTimes(timeBase: .milliseconds, reorderDepth: 0)
        #expect([100_000, 0, 40].map { given.next(pts: $0, dts: $0)?.dts } == [100_000, 0, 40])
    }

    @Test func `a jump forward starts anew`() {
        let times = Self.derived([0, 40, 80, 900_000, 900_040], depth: 2)
        #expect(times.map { $0?.dts } == [-80, -40, 0, 899_920, 899_960])
    }

    @Test func `the first frames are spaced by a thirtieth where nothing is known`() {
        var times = DecodeTimes(timeBase: .mpegTS, reorderDepth: 2)
        #expect(times.next(pts: 9000, dts: nil)?.dts == 3000)
    }

    @Test func `a track without any time gives none`() {
        var times = DecodeTimes(timeBase: .mpegTS, reorderDepth: 2)
        #expect(times.next(pts: nil, dts: nil) == nil)
        #expect(times.next(pts: .min, dts: .max) == nil)
        #expect(times.next(pts: 0, dts: nil) != nil)
        #expect(times.next(pts: nil, dts: nil) == nil)
    }

    @Test(
        arguments: [
            (1, 1), (.max, 1), (1, .max), (.max, .max), (1, 90_000), (4_294_967_291, 7),
        ] as [(UInt32, UInt32)],
        [Int64(0), 1, -1, .max, .min, 1 << 58]
    )
    func `no time base and no time traps`(base: (UInt32, UInt32), time: Int64) throws {
        let timeBase = try #require(TimeBase(numerator: base.0, denominator: base.1))
        for codec in ["A_AAC", "A_OPUS", "V_MPEG4/ISO/AVC"] {
            var timing = TrackTiming(
                source: Track(
                    number: 1,
                    kind: .audio,
                    codecID: codec,
                    codecPrivate: [0x11, 0x90],
                    timeBase: timeBase,
                    defaultDuration: .max
                ),
                statesDecodeTimes: false,
                reorderDepth: 2,
                frameTicks: time
            )
            for pts in [nil, time, time &+ 1, 0, time] as [Int64?] {
                _ = timing.next(pts: pts, dts: time, duration: time, payload: [0xFC])
            }
        }
    }

    @Test(arguments: UInt64(0)..<200)
    func `decode times increase but for jumps and never trap`(seed: UInt64) {
        var random = SplitMix(seed: seed)
        let base = [TimeBase.milliseconds, .mpegTS][Int(seed % 2)]
        var times = DecodeTimes(
            timeBase: base,
            reorderDepth: Int.random(in: -3...30, using: &random),
            frameTicks: Int64.random(in: .min ... .max, using: &random) >> (seed % 50)
        )
        let limit = Int64(base.denominator) / 2
        var last: Int64?
        var wild: Int64 = 0
        for _ in 0..<500 {
            switch Int.random(in: 0..<20, using: &random) {
            case 0: wild = Int64.random(in: -Int64.max ... .max, using: &random)
            case 1: wild &-= Int64.random(in: 0...200_000, using: &random)
            default: wild &+= Int64.random(in: 0...4000, using: &random)
            }
            let pts: Int64? = Bool.random(using: &random) ? wild : nil
            let dts: Int64? = seed % 3 == 0 ? wild : nil
            guard let made = times.next(pts: pts, dts: dts, duration: wild) else { continue }
            if let pts, abs(pts) <= 1 << 58 { #expect(made.pts == pts) }
            if let last, made.dts <= last { #expect(last - made.dts > limit / 2) }
            last = made.dts
        }
    }
}

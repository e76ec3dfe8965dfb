@testable import FragmentLog
import MediaModel
import Testing

/// When the wall clock is believed.
@Suite struct ClockTrustTests {
    private let start = Timestamp(milliseconds: 1_795_255_200_000)
    private let hour: Int64 = 3_600_000

    /// Looks at the clocks every ten seconds; the wall clock is `offset(boot)` away from the truth.
    ///
    /// - Returns: The boot times at which a jump was seen, and those at which trust came back.
    private func simulate(
        days: Int64,
        offset: (Int64) -> Int64
    ) -> (jumps: [Int64], trusted: [Int64]) {
        var trust = ClockTrust()
        var jumps: [Int64] = []
        var trusted: [Int64] = []
        var wasTrusted = false
        for boot in stride(from: Int64(0), through: days * 24 * hour, by: 10_000) {
            let wall = start.advanced(byMilliseconds: boot + offset(boot))
            if trust.observe(wall: wall, bootMilliseconds: boot) != nil { jumps.append(boot) }
            let isTrusted = trust.isTrusted(atBootMilliseconds: boot)
            if isTrusted, !wasTrusted { trusted.append(boot) }
            wasTrusted = isTrusted
        }
        return (jumps, trusted)
    }

    @Test func `a clock that agrees is trusted after a day`() {
        let (jumps, trusted) = simulate(days: 30) { _ in 0 }
        #expect(jumps.isEmpty)
        #expect(trusted == [24 * hour])
    }

    @Test(arguments: [-7_200_000, 7_200_000, 315_576_000_000, -315_576_000_000] as [Int64])
    func `a jump is seen at once and a day of agreement heals it`(step: Int64) {
        let at = 48 * hour
        let (jumps, trusted) = simulate(days: 6) { $0 < at ? 0 : step }
        #expect(jumps == [at])
        #expect(trusted == [24 * hour, at + 24 * hour])
    }

    @Test func `a jump and the way back are two jumps, the day counts from the second`() {
        let (jumps, trusted) = simulate(days: 6) { boot in
            boot >= 48 * hour && boot < 50 * hour ? 10 * 365 * 24 * hour : 0
        }
        #expect(jumps == [48 * hour, 50 * hour])
        #expect(trusted == [24 * hour, 74 * hour])
    }

    @Test func `a step of less than an hour is none, many in one direction are`() {
        #expect(simulate(days: 5) { $0 < 48 * hour ? 0 : 3_599_000 }.jumps.isEmpty)
        #expect(simulate(days: 5) { $0 < 48 * hour ? 0 : -3_599_000 }.jumps.isEmpty)
        // Half an hour a day.
        let (jumps, _) = simulate(days: 10) { $0 / (24 * hour) * (hour / 2) }
        #expect(jumps.count == 3)
    }

    @Test func `a crystal that is off by 100 ppm is not a jump within a year`() {
        #expect(simulate(days: 365) { $0 / 10_000 }.jumps.isEmpty)
    }

    @Test func `wild values do not overflow`() {
        var trust = ClockTrust()
        _ = trust.observe(wall: Timestamp(milliseconds: .max), bootMilliseconds: 0)
        #expect(trust.observe(wall: Timestamp(milliseconds: .min), bootMilliseconds: 0) != nil)
        _ = trust.observe(wall: Timestamp(milliseconds: .min), bootMilliseconds: .max)
        _ = trust.isTrusted(atBootMilliseconds: .min)
        #expect(
            ClockTrust.doubt(
                wall: Timestamp(milliseconds: .max),
                newest: Timestamp(milliseconds: .min),
                retentionHours: 87_600
            ) != nil
        )
        #expect(
            ClockTrust.doubt(
                wall: Timestamp(milliseconds: .min),
                newest: Timestamp(milliseconds: .max),
                retentionHours: 1
            ) != nil
        )
    }

    @Test(
        arguments: [
            (0, false), (-1, false), (-59_999, false), (-60_001, true), (24 * 3_600_000, false),
            (24 * 3_600_000 + 1, true), (315_576_000_000, true), (-3_600_000, true),
        ] as [(Int64, Bool)]
    )
    func `at start the clock must lie between the newest fragment and the retention after it`(
        offset: Int64,
        isDoubted: Bool
    ) {
        let doubt = ClockTrust.doubt(
            wall: start.advanced(byMilliseconds: offset),
            newest: start,
            retentionHours: 24
        )
        #expect((doubt != nil) == isDoubted)
        if let doubt { #expect(doubt.hasPrefix("clock:")) }
    }
}

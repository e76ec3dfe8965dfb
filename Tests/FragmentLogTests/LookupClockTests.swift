@testable import FragmentLog
import LogTestSupport
import MediaModel
import NIOCore
import TestSupport
import Testing

/// Lookups and expiry where clocks were set while footage arrived.
@Suite struct LookupClockTests {
    private static let hour: Int64 = 3_600_000
    private static let tenYears = 87_600 * hour

    /// Everything is there and found by every range on both clocks.
    private func check(_ bench: LookupBench, _ stream: StreamLog) async throws {
        #expect(try await stream.allFragments().map(\.number) == bench.all.map(\.number))
        for range in bench.ranges {
            for clock in StreamClock.allCases {
                let page = try await stream.fragments(
                    FragmentQuery(range: range, clock: clock, limit: 10_000)
                )
                #expect(
                    page.fragments.map(\.number) == bench.expected(bench.all, range, clock),
                    "\(range), \(clock)"
                )
            }
        }
    }

    @Test(arguments: [false, true])
    func `a server clock set back and ten years ahead in between loses and hides nothing`(
        sweeps: Bool
    ) async throws {
        // An hour back, right again, ten years ahead, right again.
        let bench = try await LookupBench(
            clockSteps: [
                180: -Self.hour, 270: Self.hour, 350: Self.tenYears, 450: -Self.tenYears,
            ],
            sweeps: sweeps
        )
        defer { bench.place.keep() }
        let ahead = bench.all[350..<450]
        #expect(ahead.allSatisfy { $0.server.milliseconds(since: LookupBench.start) > Self.hour })
        await bench.log.sweep()
        #expect((bench.stream.info.retentionPaused != nil) == sweeps)
        try await check(bench, bench.stream)
        // A day of agreement later expiry goes on; no fragment is as old as its retention.
        for _ in 0..<26 {
            bench.clock.pass(milliseconds: Self.hour)
            await bench.log.sweep()
        }
        #expect(bench.stream.info.retentionPaused == nil)
        try await check(bench, bench.stream)
        await bench.log.close()
        #expect(try await bench.place.verify().isClean)
        let again = try await bench.place.open()
        let stream = try #require(again.stream(.test()))
        await again.sweep()
        try await check(bench, stream)
        await again.close()
    }

    @Test func `producer times of 1970 and 2106 neither expire nor keep anything`() async throws {
        let bench = try await LookupBench()
        defer { bench.place.keep() }
        await bench.log.sweep()
        try await check(bench, bench.stream)
        bench.clock.pass(milliseconds: 47 * Self.hour)
        await bench.log.sweep()
        try await check(bench, bench.stream)
        // Two days after the last fragment arrived, whatever time it claims.
        bench.clock.pass(milliseconds: 2 * Self.hour)
        await bench.log.sweep()
        #expect(try await bench.stream.allFragments().isEmpty)
        for range in bench.ranges {
            for clock in StreamClock.allCases {
                let page = try await bench.stream.fragments(
                    FragmentQuery(range: range, clock: clock, limit: 10_000)
                )
                #expect(page.fragments.isEmpty)
            }
        }
        await bench.log.close()
        #expect(try await bench.place.verify().isClean)
    }
}

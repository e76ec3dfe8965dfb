@testable import FragmentLog
import LogTestSupport
import MediaModel
import NIOCore
import TestSupport
import Testing

/// Lookups by time against a list that is searched from end to end.
@Suite struct LookupTests {
    private static let start = Timestamp(milliseconds: 1_795_255_200_000)

    /// Fragments as a producer sent them that was at times late, early or mad.
    private func filled() async throws -> (TemporaryLog, FragmentLog, StreamLog, [FragmentRecord]) {
        let clock = SteppedClock(Self.start)
        var place = try TemporaryLog(clock: clock)
        place.configuration.roll.bytes = 6000
        place.configuration.sweepMilliseconds = 3_600_000
        let log = try await place.open()
        let stream = try await log.createStream(StreamSettings(name: .test(), retentionHours: 48))
        var random = SeededGenerator(seed: 11)
        var all: [FragmentRecord] = []
        var time = Self.start
        var session = try stream.openSession(.test)
        let producer = SyntheticProducer()
        for index in 0..<600 {
            clock.pass(milliseconds: Int64.random(in: 100...2000, using: &random))
            time = time.advanced(byMilliseconds: Int64.random(in: 500...1500, using: &random))
            var sent = time
            switch index {
            case 100, 400: sent = Timestamp(milliseconds: 0)
            case 150: sent = Timestamp(milliseconds: 4_292_000_000_000)
            case 250: sent = Timestamp(milliseconds: -86_400_000)
            // The same start again: a resend.
            case 300, 301: sent = all[290].producer
            default:
                if Int.random(in: 0..<100, using: &random) == 0 {
                    sent = time.advanced(
                        byMilliseconds: -Int64.random(in: 1...80_000_000, using: &random)
                    )
                }
            }
            if index % 97 == 0 {
                await session.end(.finished)
                session = try stream.openSession(.test)
            }
            all.append(
                try await producer.send(
                    session,
                    producer: sent,
                    samples: 1,
                    bytes: 40,
                    durationMilliseconds: UInt32([0, 700, 1000, 9000][index % 4])
                )
            )
        }
        await session.end(.finished)
        return (place, log, stream, all)
    }

    /// What the lookup has to give, the slow way.
    private func expected(
        _ all: [FragmentRecord],
        _ range: Range<Timestamp>,
        _ clock: StreamClock
    ) -> [FragmentNumber] {
        if range.isEmpty { return [] }
        let inRange = all.filter { record in
            let (start, end) = (record.start(on: clock), record.end(on: clock))
            return start < range.upperBound && end > range.lowerBound
                || start == end && range.contains(start)
        }
        if clock == .server { return inRange.map(\.number).sorted() }
        // A later fragment of the same start counts also where it is too short for the range.
        var newest: [Timestamp: FragmentNumber] = [:]
        for record in all {
            newest[record.producer] = max(newest[record.producer] ?? record.number, record.number)
        }
        return inRange.filter { newest[$0.producer] == $0.number }
            .sorted { $0.producer < $1.producer }.map(\.number)
    }

    private func ranges(_ all: [FragmentRecord]) -> [Range<Timestamp>] {
        var random = SeededGenerator(seed: 5)
        func at(_ milliseconds: Int64) -> Timestamp { Timestamp(milliseconds: milliseconds) }
        var ranges = [
            at(.min)..<at(.max), at(0)..<at(1), at(-86_400_001)..<at(-86_399_000),
            at(4_291_999_999_999)..<at(4_292_000_000_001), at(1)..<at(1_700_000_000_000),
            Self.start..<Self.start,
        ]
        for _ in 0..<60 {
            let record = all[Int.random(in: 0..<all.count, using: &random)]
            let from = record.producer.advanced(
                byMilliseconds: Int64.random(in: -20_000...2000, using: &random)
            )
            let length = [0, 1, 500, 5000, 120_000, 90_000_000][
                Int.random(in: 0..<6, using: &random)
            ]
            ranges.append(from..<from.advanced(byMilliseconds: Int64(length)))
        }
        return ranges
    }

    @Test func `every range on both clocks gives what a full search gives, whatever the page`()
        async throws
    {
        let (place, log, stream, all) = try await filled()
        defer { place.keep() }
        #expect(Set(all.map(\.segment)).count > 40)
        for range in ranges(all) {
            for clock in StreamClock.allCases {
                let expected = expected(all, range, clock)
                for limit in [1, 2, 3, 7, 64, 1000] where limit > 3 || expected.count < 80 {
                    var found: [FragmentNumber] = []
                    var after: FragmentPosition?
                    repeat {
                        let page = try await stream.fragments(
                            FragmentQuery(range: range, clock: clock, limit: limit, after: after)
                        )
                        #expect(page.fragments.count <= limit)
                        found += page.fragments.map(\.number)
                        after = page.next
                    } while after != nil
                    #expect(found == expected, "\(range), \(clock), \(limit) at a time")
                }
            }
        }
        await log.close()
    }

    @Test func `lookups are the same after a restart, and verify finds nothing`() async throws {
        let (place, log, _, all) = try await filled()
        defer { place.keep() }
        await log.close()
        #expect(try await place.verify().isClean)
        let again = try await place.open()
        let stream = try #require(again.stream(.test()))
        for range in ranges(all) {
            for clock in StreamClock.allCases {
                let page = try await stream.fragments(
                    FragmentQuery(range: range, clock: clock, limit: 10_000)
                )
                #expect(page.fragments.map(\.number) == expected(all, range, clock))
            }
        }
        #expect(try await stream.allFragments().map(\.number) == all.map(\.number))
        for record in all { #expect(try await stream.fragment(record.number) == record) }
        await again.close()
    }

    @Test func `a cursor at a time begins with the fragment that contains it`() async throws {
        let (place, log, stream, all) = try await filled()
        defer { place.keep() }
        for record in all.prefix(90).dropFirst(20) where record.durationMilliseconds > 0 {
            var cursor = try await stream.cursor(.time(record.producer, .producer))
            guard case .stored(let found) = try await cursor.next(follow: false) else {
                Issue.record("nothing at \(record.producer)")
                return
            }
            #expect(found.producer <= record.producer)
            #expect(found.producerEnd > record.producer)
        }
        await log.close()
    }

    @Test func `deleted ranges are obeyed by every kind of read`() async throws {
        let (place, log, stream, all) = try await filled()
        defer { place.keep() }
        let gone = all[200...260]
        try stream.updateDocument { document in
            document.deletedRanges = [gone[200].number...gone[260].number]
        }
        let left = all.filter { record in !gone.contains { $0.number == record.number } }
        func check(_ stream: StreamLog) async throws {
            for range in ranges(all) {
                for clock in StreamClock.allCases {
                    let page = try await stream.fragments(
                        FragmentQuery(range: range, clock: clock, limit: 10_000)
                    )
                    #expect(page.fragments.map(\.number) == expected(left, range, clock))
                }
            }
            #expect(try await stream.allFragments().map(\.number) == left.map(\.number))
            for record in gone {
                #expect(try await stream.fragment(record.number) == nil)
                do {
                    _ = try await stream.read(record, .stored)
                    Issue.record("a deleted fragment was read")
                } catch {
                    #expect(error.code == .gone)
                }
            }
            var cursor = try await stream.cursor(.after(all[210].number))
            guard case .stored(let next) = try await cursor.next(follow: false) else { return }
            #expect(next.number == all[261].number)
            cursor = try await stream.cursor(.time(gone[230].producer, .producer))
            guard case .stored(let later) = try await cursor.next(follow: false) else { return }
            #expect(!gone.contains { $0.number == later.number })
        }
        try await check(stream)
        await log.close()
        let again = try await place.open()
        try await check(try #require(again.stream(.test())))
        await again.close()
        let report = try await place.verify()
        #expect(report.isClean)
        #expect(report.deletedFragmentCount == UInt64(gone.count))
    }
}

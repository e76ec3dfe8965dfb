@testable import FragmentLog
import LogTestSupport
import MediaModel
import NIOCore
import TestSupport
import Testing

/// Lookups by time against a list that is searched from end to end.
@Suite struct LookupTests {
    @Test func `every range on both clocks gives what a full search gives, whatever the page`()
        async throws
    {
        let bench = try await LookupBench()
        defer { bench.place.keep() }
        let (log, stream, all) = (bench.log, bench.stream, bench.all)
        #expect(Set(all.map(\.segment)).count > 40)
        let few = Effort.count(80, underThreadSanitizer: 8)
        for range in bench.ranges {
            for clock in StreamClock.allCases {
                let expected = bench.expected(all, range, clock)
                for limit in [1, 2, 3, 7, 64, 1000] where limit > 3 || expected.count < few {
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
        let bench = try await LookupBench()
        defer { bench.place.keep() }
        let (log, all) = (bench.log, bench.all)
        await log.close()
        #expect(try await bench.place.verify().isClean)
        let again = try await bench.place.open()
        let stream = try #require(again.stream(.test()))
        for range in bench.ranges {
            for clock in StreamClock.allCases {
                let page = try await stream.fragments(
                    FragmentQuery(range: range, clock: clock, limit: 10_000)
                )
                #expect(page.fragments.map(\.number) == bench.expected(all, range, clock))
            }
        }
        #expect(try await stream.allFragments().map(\.number) == all.map(\.number))
        for record in all { #expect(try await stream.fragment(record.number) == record) }
        await again.close()
    }

    @Test func `a cursor at a time begins with the fragment that contains it`() async throws {
        let bench = try await LookupBench()
        defer { bench.place.keep() }
        let (log, stream, all) = (bench.log, bench.stream, bench.all)
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
        let bench = try await LookupBench()
        defer { bench.place.keep() }
        let (log, stream, all) = (bench.log, bench.stream, bench.all)
        let gone = all[200...260]
        try stream.updateDocument { document in
            document.deletedRanges = [gone[200].number...gone[260].number]
        }
        let left = all.filter { record in !gone.contains { $0.number == record.number } }
        func check(_ stream: StreamLog) async throws {
            for range in bench.ranges {
                for clock in StreamClock.allCases {
                    let page = try await stream.fragments(
                        FragmentQuery(range: range, clock: clock, limit: 10_000)
                    )
                    #expect(page.fragments.map(\.number) == bench.expected(left, range, clock))
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
        let again = try await bench.place.open()
        try await check(try #require(again.stream(.test())))
        await again.close()
        let report = try await bench.place.verify()
        #expect(report.isClean)
        #expect(report.deletedFragmentCount == UInt64(gone.count))
    }
}

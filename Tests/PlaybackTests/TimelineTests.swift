import FragmentLog
import LogTestSupport
import MediaModel
@testable import Playback
import Testing

@Suite(.timeLimit(.minutes(3))) struct TimelineTests {
    private static func span(_ start: Int64, _ end: Int64, _ fragments: Int) -> Timeline.Span {
        Timeline.Span(
            start: Timestamp(milliseconds: start),
            end: Timestamp(milliseconds: end),
            fragments: fragments,
            bytes: UInt64(10 * fragments)
        )
    }

    @Test(
        arguments: [
            // A gap as long as the resolution joins, a longer one does not.
            ([(0, 1000), (1500, 2000)], 10, [span(0, 2000, 2)], Int64(500)),
            ([(0, 1000), (1501, 2000)], 10, [span(0, 1000, 1), span(1501, 2000, 1)], 500),
            // An overlap, and a fragment within another.
            ([(0, 1000), (900, 1100), (200, 300)], 10, [span(0, 1100, 3)], 500),
            // A clock that stepped back.
            (
                [(5000, 6000), (0, 1000), (1000, 2000)], 10,
                [span(0, 2000, 2), span(5000, 6000, 1)], 500
            ),
            // More spans than wanted make the resolution coarser.
            (
                [(0, 1000), (2000, 3000), (10_000, 11_000), (12_000, 13_000)], 2,
                [span(0, 3000, 2), span(10_000, 13_000, 2)], 1000
            ),
            ([(0, 1), (1_000_000, 1_000_001)], 1, [span(0, 1_000_001, 2)], 1_024_000),
            ([(Int64.min, Int64.min), (Int64.max, Int64.max)], 1, [span(.min, .max, 2)], .max),
        ] as [([(Int64, Int64)], Int, [Timeline.Span], Int64)]
    )
    func `fragments join to spans`(
        fragments: [(Int64, Int64)],
        limit: Int,
        spans: [Timeline.Span],
        resolution: Int64
    ) {
        var builder = SpanBuilder(resolutionMilliseconds: 500, limit: limit)
        for (start, end) in fragments {
            builder.add(
                from: Timestamp(milliseconds: start),
                to: Timestamp(milliseconds: end),
                bytes: 10
            )
        }
        #expect(builder.finish() == spans)
        #expect(builder.resolutionMilliseconds == resolution)
    }

    @Test func `a stream's spans and gaps come from its index`() async throws {
        let zero = Timestamp(milliseconds: SourceDocument.start)
        try await withStream { stream, _ in
            let producer = SyntheticProducer()
            let session = try stream.openSession(.test)
            var bytes: UInt64 = 0
            for second in [0, 1, 2, 10, 11] as [Int64] {
                let record = try await producer.send(
                    session,
                    producer: zero.advanced(byMilliseconds: second * 1000)
                )
                bytes += record.servedLength
            }
            let gap = Gap(
                start: zero.advanced(byMilliseconds: 3000),
                end: zero.advanced(byMilliseconds: 10_000),
                clock: .producer,
                reason: .disconnect
            )
            session.report(gap)
            await session.end(.finished)
            func load(_ from: Int64, _ to: Int64, _ resolution: Int64) async throws -> Timeline {
                try await Timeline.load(
                    stream: stream,
                    range: zero.advanced(
                        byMilliseconds: from
                    )..<zero.advanced(byMilliseconds: to),
                    clock: .producer,
                    resolutionMs: resolution,
                    limit: 100
                )
            }
            let fine = try await load(0, 60_000, 1)
            #expect(fine.spans.map(\.fragments) == [3, 2])
            #expect(fine.spans.map { $0.end.milliseconds(since: $0.start) } == [3000, 2000])
            #expect(fine.spans.reduce(0) { $0 + $1.bytes } == bytes)
            #expect(fine.gaps.map(\.reason) == [.disconnect])
            #expect(try await load(0, 60_000, 60_000).spans.map(\.fragments) == [5])
            #expect(try await load(2000, 3000, 1).spans.map(\.fragments) == [1])
            #expect(try await load(2000, 3000, 1).gaps.isEmpty)
        }
    }
}

import MediaModel
import Testing

@testable import Catalog

struct LookupPlanTests {
    typealias Samples = SegmentSamples

    @Test func `with 200 000 log segments every lookup is an index range`() async throws {
        let folder = try TemporaryFolder()
        let catalog = try await Samples.catalog(in: folder)
        for batch in 0..<10 {
            try await catalog.apply(
                (0..<20_000).map { offset in
                    let index = UInt64(batch * 20_000 + offset)
                    // 1 % backfill by ten days.
                    let time = 1_790_000_000_000 + Int64(index) * 600_000
                    return .insert(
                        Samples.sealed(
                            index * 300,
                            producer: index % 100 == 0 ? time - 864_000_000 : time,
                            server: time + 40,
                            span: 600_000
                        )
                    )
                },
                owner: .single
            )
        }
        let plans = try await catalog.file.plans()
        #expect(plans.count == 16)
        for plan in plans {
            #expect(!plan.lines.isEmpty)
            for line in plan.lines {
                let isBounded =
                    line.hasPrefix("SEARCH ") || line == "USE TEMP B-TREE FOR ORDER BY"
                #expect(isBounded, "\(plan.name): \(line)")
            }
        }
        // The indexes work on more than their first column.
        let lines = Dictionary(uniqueKeysWithValues: plans.map { ($0.name, $0.lines) })
        #expect(
            lines["segments by producer time"] == [
                "SEARCH log_segment USING INDEX log_segment_by_producer "
                    + "(stream_id=? AND is_wide=? AND producer_start_ms>? AND producer_start_ms<?)"
            ]
        )
        #expect(
            lines["segment containing a number"] == [
                "SEARCH log_segment USING PRIMARY KEY (stream_id=? AND first_sequence<?)"
            ]
        )
        // In the order of numbers, with nothing to sort.
        #expect(
            lines["segments by number in a long range of server time"] == [
                "SEARCH log_segment USING PRIMARY KEY (stream_id=? AND first_sequence>?)"
            ]
        )
        let found = try await catalog.segments(
            of: Samples.stream,
            producerRange: Samples.range(1_850_000_000_000, 1_850_000_060_000),
            limit: 100
        )
        #expect(found.count == 1)
    }
}

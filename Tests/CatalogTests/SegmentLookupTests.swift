import MediaModel
import TestSupport
import Testing

@testable import Catalog

struct SegmentLookupTests {
    typealias Samples = SegmentSamples

    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func insert(_ rows: [SegmentRow], into catalog: Catalog) async throws {
        for start in stride(from: 0, to: rows.count, by: 1000) {
            let batch = rows[start..<min(start + 1000, rows.count)]
            try await catalog.apply(batch.map { .insert($0) }, owner: .single)
        }
    }

    /// What the lookups must answer, told by looking at every row.
    private func overlapping(
        _ rows: [SegmentRow],
        producer range: Range<Timestamp>
    ) -> [SegmentRow] {
        rows.filter { row in
            row.state != .deleting && !range.isEmpty && row.producerStart < range.upperBound
                && (row.extent.map { $0.producerEnd >= range.lowerBound } ?? true)
        }.sorted { ($0.producerStart, $0.first) < ($1.producerStart, $1.first) }
    }

    private func overlapping(
        _ rows: [SegmentRow],
        server range: Range<Timestamp>
    ) -> [SegmentRow] {
        rows.filter { row in
            row.state != .deleting && !range.isEmpty && row.serverStart < range.upperBound
                && (row.extent.map { $0.serverEnd >= range.lowerBound } ?? true)
        }.sorted { $0.first < $1.first }
    }

    /// An archive with 1 % backfill, wild producer times, server clock steps, and a few segments in
    /// every state.
    private func archive(_ count: Int) -> [SegmentRow] {
        var random = SplitMix(state: 42)
        var rows: [SegmentRow] = []
        var producer: Int64 = 1_790_000_000_000
        var server: Int64 = 1_790_000_000_500
        for index in 0..<count {
            let span = Int64(random.next() % 1_200_000)
            if index == count / 3 { server -= 3_600_000 }
            if index == count / 2 { server += 315_000_000_000 }
            if index == count / 2 + 50 { server -= 315_000_000_000 }
            var start = producer
            switch random.next() % 400 {
            case 0...3: start -= Int64(random.next() % 1_000_000_000)  // 1 % backfill
            case 4: start = Int64(random.next() % 5000)  // 1970
            case 5: start = 4_300_000_000_000  // 2106
            case 6: start = -5000
            default: break
            }
            var row = Samples.sealed(
                UInt64(index) * 30 + 10,
                producer: start,
                server: server,
                span: span
            )
            row.firstOrdinal = UInt64(index) * 10
            switch random.next() % 200 {
            case 0:  // open
                row.state = .open
                row.extent = nil
            case 1:
                row.state = .suspect
                row.durableByteCount = 4000
            case 2:
                row.state = .suspect
                row.durableByteCount = 0
                row.extent = nil
            case 3: row.state = .deleting
            case 4:  // longer than the log allows
                row.extent?.producerEnd = row.producerStart.advanced(byMilliseconds: 900_000_000)
            case 5:
                row.extent?.serverEnd = row.serverStart.advanced(byMilliseconds: 900_000_000)
            default: break
            }
            rows.append(row)
            producer += span
            server += span
        }
        return rows
    }

    @Test func `every lookup answers as a look at every row does`() async throws {
        let rows = archive(2500)
        let catalog = try await Samples.catalog(in: folder)
        try await insert(rows, into: catalog)
        // Rows of another stream must not show.
        try await insert(
            rows.prefix(500).map {
                var row = $0
                row.stream = Samples.other
                return row
            },
            into: catalog
        )
        var random = SplitMix(state: 7)
        let ends: [Int64] = [
            .min, -5000, 0, 4999, 1_790_000_000_000, 4_300_000_000_000, .max,
        ]
        for round in 0..<Effort.count(200, underThreadSanitizer: 20) {
            let row = rows[Int(random.next() % UInt64(rows.count))]
            let length = [0, 1, 60_000, 3_600_000, 50_000_000, 5_000_000_000][round % 6]
            var lower = row.producerStart.milliseconds - Int64(random.next() % 2_000_000)
            var upper = lower.advanced(by: length)
            if round % 20 == 0 {
                lower = ends[Int(random.next() % 7)]
                upper = max(lower, ends[Int(random.next() % 7)])
            }
            let producer = Samples.range(lower, upper)
            #expect(
                try await catalog.segments(of: Samples.stream, producerRange: producer, limit: 9999)
                    == overlapping(rows, producer: producer)
            )
            let serverLower = row.serverStart.milliseconds - Int64(random.next() % 2_000_000)
            let server = Samples.range(serverLower, serverLower + Int64(length))
            #expect(
                try await catalog.segments(of: Samples.stream, serverRange: server, limit: 9999)
                    == overlapping(rows, server: server)
            )
            let sequence = random.next() % UInt64(rows.count * 30 + 100)
            let number = Samples.number(
                sequence,
                server: random.next() >> (round % 2 == 0 ? 0 : 30)
            )
            let below = rows.last { $0.first <= number }
            #expect(
                try catalog.segmentBlocking(of: Samples.stream, containing: number)
                    == (below?.state == .deleting ? nil : below)
            )
            #expect(
                try await catalog.segment(of: Samples.stream, after: number)
                    == rows.first { $0.first > number && $0.state != .deleting }
            )
            let ordinal = random.next() % UInt64(rows.count * 10 + 100)
            let holder = rows.last { $0.firstOrdinal <= ordinal }
            #expect(
                try await catalog.segment(of: Samples.stream, containingOrdinal: ordinal)
                    == (holder?.state == .deleting ? nil : holder)
            )
            let due = rows.filter { row in
                row.state != .deleting
                    && (row.extent.map { $0.serverEnd < server.lowerBound } ?? false)
            }
            let expired = try await catalog.segmentsExpired(
                of: Samples.stream,
                serverEndBefore: server.lowerBound,
                limit: 100_000
            )
            #expect(expired == due)
        }
        #expect(
            try await catalog.openSegments()
                == (rows.filter { $0.state == .open }
                    + rows.prefix(500).filter { $0.state == .open }.map {
                        var row = $0
                        row.stream = Samples.other
                        return row
                    })
        )
        #expect(
            try await catalog.suspectSegments().filter { $0.stream == Samples.stream }
                == rows.filter { $0.state == .suspect }
        )
        #expect(
            try await catalog.deletingSegments().filter { $0.stream == Samples.stream }
                == rows.filter { $0.state == .deleting }
        )
        let visible = rows.filter { $0.state != .deleting }
        #expect(try await catalog.firstSegment(of: Samples.stream) == visible.first)
        #expect(try await catalog.lastSegment(of: Samples.stream) == visible.last)
        #expect(
            try await catalog.segmentTotals(of: Samples.stream)
                == SegmentTotals(
                    segmentCount: UInt64(visible.count),
                    fragmentCount: visible.reduce(0) { $0 + ($1.extent?.fragmentCount ?? 0) },
                    byteCount: visible.reduce(0) { $0 + ($1.extent?.byteCount ?? 0) }
                )
        )
        #expect(try await catalog.integrityFindings() == [])
    }

    @Test(arguments: [1, 7, 100])
    func `pages put together are the whole`(limit: Int) async throws {
        let rows = archive(1000)
        let catalog = try await Samples.catalog(in: folder)
        try await insert(rows, into: catalog)
        let all = Samples.range(.min, .max)
        var byProducer: [SegmentRow] = []
        while true {
            let page = try await catalog.segments(
                of: Samples.stream,
                producerRange: all,
                after: byProducer.last.map(SegmentCursor.init(after:)),
                limit: limit
            )
            byProducer += page
            if page.count < limit { break }
        }
        #expect(byProducer == overlapping(rows, producer: all))
        var byServer: [SegmentRow] = []
        while true {
            let page = try await catalog.segments(
                of: Samples.stream,
                serverRange: all,
                after: byServer.last?.first,
                limit: limit
            )
            byServer += page
            if page.count < limit { break }
        }
        #expect(byServer == overlapping(rows, server: all))
        var byNumber: [SegmentRow] = []
        while true {
            let page = try await catalog.segments(
                of: Samples.stream,
                after: byNumber.last?.first,
                limit: limit
            )
            byNumber += page
            if page.count < limit { break }
        }
        #expect(byNumber == rows.filter { $0.state != .deleting })
    }

    @Test func `numbers beyond what can be stored are behind everything`() async throws {
        let catalog = try await Samples.catalog(in: folder)
        let row = Samples.sealed(5, producer: 0)
        try await catalog.insertSegment(row, owner: .single)
        let huge = FragmentNumber(
            sequence: .max,
            serverMilliseconds: .max,
            random: .max
        )
        #expect(try await catalog.segment(of: Samples.stream, containing: huge) == row)
        #expect(try await catalog.segment(of: Samples.stream, after: huge) == nil)
        #expect(try await catalog.segment(of: Samples.stream, containingOrdinal: .max) == row)
        #expect(
            try await catalog.segments(
                of: Samples.stream,
                producerRange: Samples.range(.min, .max),
                after: SegmentCursor(producerStart: Samples.time(0), first: huge),
                limit: 10
            ) == []
        )
    }

    @Test func `of two segments with one ordinal the newer is found`() async throws {
        let catalog = try await Samples.catalog(in: folder)
        var empty = Samples.open(10, producer: 0, ordinal: 50)
        empty.state = .suspect
        empty.durableByteCount = 0
        let holder = Samples.open(20, producer: 0, ordinal: 50)
        try await catalog.apply([.insert(empty), .insert(holder)], owner: .single)
        #expect(try await catalog.segment(of: Samples.stream, containingOrdinal: 55) == holder)
    }

    @Test func `a stream that is not there has nothing`() async throws {
        let catalog = try await Samples.catalog(in: folder)
        let nobody = StreamID(rawValue: 99)
        let all = Samples.range(.min, .max)
        #expect(try await catalog.segments(of: nobody, producerRange: all, limit: 10) == [])
        #expect(try await catalog.segments(of: nobody, serverRange: all, limit: 10) == [])
        #expect(try await catalog.firstSegment(of: nobody) == nil)
        #expect(try await catalog.lastSegment(of: nobody) == nil)
        #expect(try await catalog.segmentTotals(of: nobody) == .none)
        #expect(try await catalog.stream(nobody) == nil)
    }

    @Test func `a limit of zero or less finds nothing`() async throws {
        let catalog = try await Samples.catalog(in: folder)
        try await catalog.insertSegment(Samples.sealed(1, producer: 0), owner: .single)
        let all = Samples.range(.min, .max)
        for limit in [0, -1, Int.min] {
            #expect(
                try await catalog.segments(of: Samples.stream, producerRange: all, limit: limit)
                    == []
            )
            #expect(
                try await catalog.segments(of: Samples.stream, serverRange: all, limit: limit)
                    == []
            )
            #expect(
                try await catalog.segments(of: Samples.stream, after: nil, limit: limit) == []
            )
            #expect(
                try await catalog.segmentsExpired(
                    of: Samples.stream,
                    serverEndBefore: Samples.time(.max),
                    limit: limit
                ) == []
            )
        }
    }
}

/// A small seeded generator, so that a failure comes back.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}

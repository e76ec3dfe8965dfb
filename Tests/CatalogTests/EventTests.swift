import MediaModel
import TestSupport
import Testing

@testable import Catalog

struct EventTests {
    typealias Samples = SegmentSamples

    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private static func opened(_ id: UInt64, at time: Int64) -> CatalogEvent {
        .sessionOpened(
            id: id,
            protocolName: "http",
            peer: "192.0.2.1:50000",
            clockSource: .rtcp,
            at: Samples.time(time)
        )
    }

    private func gap(
        _ start: Int64,
        _ end: Int64,
        _ clock: StreamClock = .producer,
        reason: GapReason = .disconnect,
        after: FragmentNumber? = nil
    ) -> Gap {
        Gap(
            start: Samples.time(start),
            end: Samples.time(end),
            clock: clock,
            reason: reason,
            after: after
        )
    }

    @Test func `sessions open, end and are remembered by their greatest id`() async throws {
        let catalog = try await Samples.catalog(in: folder)
        let stream = Samples.stream
        #expect(try await catalog.maxSessionID(of: stream) == nil)
        try await catalog.recordEvents(
            of: stream,
            [
                Self.opened(3, at: 10), Self.opened(4, at: 20),
                .sessionEnded(id: 3, at: Samples.time(30)),
            ],
            from: 0,
            upTo: 300,
            owner: .single
        )
        let open = SessionRow(
            stream: stream,
            id: 4,
            protocolName: "http",
            peer: "192.0.2.1:50000",
            clockSource: .rtcp,
            opened: Samples.time(20)
        )
        #expect(try await catalog.openSessions() == [open])
        #expect(try await catalog.session(4, of: stream) == open)
        #expect(try await catalog.session(3, of: stream)?.ended == Samples.time(30))
        #expect(try await catalog.maxSessionID(of: stream) == 4)

        try await catalog.recordEvents(
            of: stream,
            [
                .sessionEnded(id: 4, at: Samples.time(50)),
                .sessionEnded(id: 99, at: Samples.time(1)),
            ],
            from: 300,
            upTo: 400,
            owner: .single
        )
        try await catalog.expireEvents(of: stream, before: Samples.time(50), owner: .single)
        #expect(try await catalog.session(3, of: stream) == nil)
        #expect(try await catalog.session(4, of: stream)?.ended == Samples.time(50))
        try await catalog.expireEvents(of: stream, before: Samples.time(51), owner: .single)
        #expect(try await catalog.session(4, of: stream) == nil)
        #expect(try await catalog.maxSessionID(of: stream) == 4)
    }

    @Test func `events are taken in once, with their offset, or not at all`() async throws {
        let catalog = try await Samples.catalog(in: folder)
        let stream = Samples.stream
        try await catalog.recordEvents(
            of: stream,
            [Self.opened(1, at: 0)],
            from: 0,
            upTo: 80,
            owner: .single
        )
        let refused: [([CatalogEvent], UInt64, UInt64)] = [
            ([.gap(gap(1, 2))], 0, 80), ([.gap(gap(1, 2))], 79, 160), ([.gap(gap(1, 2))], 81, 160),
            ([.gap(gap(1, 2))], 80, 79), ([.gap(gap(1, 2)), Self.opened(1, at: 5)], 80, 160),
        ]
        for (events, start, end) in refused {
            let error = await #expect(throws: CatalogError.self) {
                try await catalog.recordEvents(
                    of: stream,
                    events,
                    from: start,
                    upTo: end,
                    owner: .single
                )
            }
            #expect(error?.code == .conflict)
        }
        let backwards = await #expect(throws: CatalogError.self) {
            try await catalog.recordEvents(
                of: stream,
                [.gap(gap(2, 1))],
                from: 80,
                upTo: 160,
                owner: .single
            )
        }
        #expect(backwards?.code == .invalidValue)
        #expect(try await catalog.stream(stream)?.eventsOffset == 80)
        #expect(
            try await catalog.gaps(
                of: stream,
                on: .producer,
                in: Samples.range(.min, .max),
                limit: 10
            ) == []
        )
    }

    @Test func `replacing the events leaves none of the old ones`() async throws {
        let catalog = try await Samples.catalog(in: folder)
        let stream = Samples.stream
        try await catalog.recordEvents(
            of: stream,
            [Self.opened(8, at: 0), .gap(gap(1, 2))],
            from: 0,
            upTo: 80,
            owner: .single
        )
        try await catalog.replaceEvents(
            of: stream,
            with: [Self.opened(2, at: 0), .gap(gap(5, 6))],
            upTo: 60,
            owner: .single
        )
        let row = try await catalog.stream(stream)
        #expect(row?.eventsOffset == 60)
        #expect(row?.maxSessionID == 2)
        #expect(try await catalog.openSessions().map(\.id) == [2])
        #expect(
            try await catalog.gaps(
                of: stream,
                on: .producer,
                in: Samples.range(.min, .max),
                limit: 10
            ).map(\.gap) == [gap(5, 6)]
        )
    }

    @Test func `a gap comes back with every field, for every reason and clock`() async throws {
        let catalog = try await Samples.catalog(in: folder)
        var offset: UInt64 = 0
        for clock in StreamClock.allCases {
            for reason in GapReason.allCases {
                let gap = Gap(
                    start: Samples.time(-5),
                    end: Samples.time(9),
                    clock: clock,
                    reason: reason,
                    session: 3,
                    after: offset % 2 == 0 ? Samples.number(8) : nil,
                    sampleCount: 11,
                    byteCount: 12
                )
                try await catalog.recordEvents(
                    of: Samples.stream,
                    [.gap(gap)],
                    from: offset,
                    upTo: offset + 1,
                    owner: .single
                )
                offset += 1
                let found = try await catalog.gaps(
                    of: Samples.stream,
                    on: clock,
                    in: Samples.range(0, 1),
                    limit: 100
                )
                #expect(found.last?.gap == gap)
                #expect(found.last?.id == Int64(offset))
            }
        }
    }

    @Test func `gaps of any length are found as a look at every gap finds them`() async throws {
        let catalog = try await Samples.catalog(in: folder)
        var random = SplitMix(state: 3)
        let lengths: [UInt64] = [
            1, 3_600_001, 90_000_000, 2_592_000_001, 1_000_000_000_000, 4_300_000_000_000,
        ]
        let gaps = (0..<2000).map { index in
            let start = index % 100 == 0 ? 0 : Int64(random.next() % 20_000_000_000)
            let length =
                random.next() % lengths[Int(random.next() % UInt64(index % 50 == 0 ? 6 : 3))]
            return gap(
                start,
                start + Int64(length),
                index % 3 == 0 ? .server : .producer,
                reason: .noSync
            )
        }
        try await catalog.recordEvents(
            of: Samples.stream,
            gaps.map { .gap($0) },
            from: 0,
            upTo: 1,
            owner: .single
        )
        for round in 0..<Effort.count(150, underThreadSanitizer: 15) {
            let lower = round % 30 == 0 ? 0 : Int64(random.next() % 21_000_000_000) - 500_000_000
            let upper = lower + [0, 1, 3_600_000, 1_000_000_000, 30_000_000_000][round % 5]
            for clock in StreamClock.allCases {
                let expected = gaps.enumerated().filter { _, gap in
                    gap.clock == clock && lower < upper && gap.start.milliseconds < upper
                        && (gap.end.milliseconds > lower || gap.start.milliseconds >= lower)
                }.map { GapRow(id: Int64($0.offset) + 1, gap: $0.element) }
                    .sorted { ($0.gap.start, $0.id) < ($1.gap.start, $1.id) }
                var found: [GapRow] = []
                while true {
                    let page = try await catalog.gaps(
                        of: Samples.stream,
                        on: clock,
                        in: Samples.range(lower, upper),
                        after: found.last,
                        limit: round % 2 == 0 ? 5000 : 50
                    )
                    found += page
                    if page.count < 50 || round % 2 == 0 { break }
                }
                #expect(found == expected)
            }
        }
    }

    @Test func `a gap goes when retention has passed it on the server's clock`() async throws {
        let catalog = try await Samples.catalog(in: folder)
        let after = Samples.number(5, server: 700)
        try await catalog.recordEvents(
            of: Samples.stream,
            [
                .gap(gap(100, 500, .server)), .gap(gap(0, 1, .producer, after: after)),
                .gap(gap(600, 900, .producer, after: after)),
            ],
            from: 0,
            upTo: 1,
            owner: .single
        )
        func left(before time: Int64) async throws -> [Int64] {
            try await catalog.expireEvents(
                of: Samples.stream,
                before: Samples.time(time),
                owner: .single
            )
            var ids: [Int64] = []
            for clock in StreamClock.allCases {
                ids += try await catalog.gaps(
                    of: Samples.stream,
                    on: clock,
                    in: Samples.range(.min, .max),
                    limit: 10
                ).map(\.id)
            }
            return ids.sorted()
        }
        #expect(try await left(before: 500) == [1, 2, 3])
        #expect(try await left(before: 501) == [2, 3])
        #expect(try await left(before: 701) == [3])
        #expect(try await left(before: 901) == [])
    }
}

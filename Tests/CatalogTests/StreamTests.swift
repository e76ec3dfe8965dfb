import MediaModel
import Testing

@testable import Catalog

struct StreamTests {
    typealias Samples = SegmentSamples

    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test func `streams are found by identity and by name, and listed by name`() async throws {
        let catalog = try await Samples.catalog(in: folder)
        let dock = StreamRow(
            id: Samples.stream,
            name: StreamName("dock-3")!,
            owner: .single,
            eventsOffset: 0,
            maxSessionID: nil,
            totals: .none
        )
        #expect(try await catalog.stream(Samples.stream) == dock)
        #expect(try await catalog.stream(named: StreamName("dock-3")!) == dock)
        #expect(try await catalog.stream(named: StreamName("Dock-3")!) == nil)
        #expect(try catalog.streamBlocking(named: StreamName("gate")!)?.id == Samples.other)
        #expect(try await catalog.streams().map(\.name.text) == ["dock-3", "gate"])
    }

    @Test func `a name or an identity in use is refused`() async throws {
        let catalog = try await Samples.catalog(in: folder)
        for (id, name) in [(StreamID(rawValue: 1), "dock-3"), (Samples.stream, "new")] {
            let error = await #expect(throws: CatalogError.self) {
                try await catalog.insertStream(id, name: StreamName(name)!, owner: .single)
            }
            #expect(error?.code == .conflict)
        }
    }

    @Test func `removing a stream takes all of it and nothing else`() async throws {
        let catalog = try await Samples.catalog(in: folder)
        for stream in [Samples.stream, Samples.other] {
            try await catalog.apply(
                (1...4500).map { .insert(Samples.sealed($0, producer: 0, of: stream)) },
                owner: .single
            )
            let gap = Gap(
                start: Samples.time(0),
                end: Samples.time(5),
                clock: .server,
                reason: .crash
            )
            try await catalog.recordEvents(
                of: stream,
                [
                    .sessionOpened(
                        id: 1,
                        protocolName: "http",
                        peer: "::1",
                        clockSource: .arrival,
                        at: Samples.time(0)
                    ), .gap(gap), .gap(gap),
                ],
                from: 0,
                upTo: 100,
                owner: .single
            )
        }
        for _ in 0..<2 { try await catalog.removeStream(Samples.stream, owner: .single) }
        #expect(try await catalog.stream(Samples.stream) == nil)
        #expect(try await catalog.lastSegment(of: Samples.stream) == nil)
        #expect(try await catalog.segmentTotals(of: Samples.other).segmentCount == 4500)
        #expect(try await catalog.openSessions().map(\.stream) == [Samples.other])
        try catalog.insertStreamBlocking(
            Samples.stream,
            name: StreamName("dock-3")!,
            owner: .single
        )
        try catalog.removeStreamBlocking(Samples.stream, owner: .single)
        #expect(try await catalog.integrityFindings() == [])
    }
}

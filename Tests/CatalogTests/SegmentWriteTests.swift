import MediaModel
import Testing

@testable import Catalog

struct SegmentWriteTests {
    typealias Samples = SegmentSamples

    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func code(_ body: () async throws -> Void) async -> CatalogError.Code? {
        do {
            try await body()
            return nil
        } catch {
            return (error as? CatalogError)?.code
        }
    }

    @Test func `a log segment goes from open to sealed to deleting to nothing`() async throws {
        let catalog = try await Samples.catalog(in: folder)
        var row = Samples.open(1000, producer: 5, kind: .putMediaRelative)
        try await catalog.insertSegment(row, owner: .single)
        #expect(try await catalog.openSegments() == [row])
        #expect(
            try await catalog.segmentTotals(of: Samples.stream)
                == SegmentTotals(segmentCount: 1, fragmentCount: 0, byteCount: 0)
        )

        let extent = Samples.extent(row, span: 600_000)
        try await catalog.sealSegment(
            row.first,
            of: Samples.stream,
            extent: extent,
            owner: .single
        )
        row.extent = extent
        row.state = .sealed
        #expect(try await catalog.openSegments() == [])
        #expect(try await catalog.lastSegment(of: Samples.stream) == row)
        #expect(
            try await catalog.segmentTotals(of: Samples.stream)
                == SegmentTotals(segmentCount: 1, fragmentCount: 10, byteCount: 5000)
        )

        for _ in 0..<2 {
            try await catalog.markDeleting([row.first], of: Samples.stream, owner: .single)
        }
        row.state = .deleting
        #expect(try await catalog.lastSegment(of: Samples.stream) == nil)
        #expect(try await catalog.segment(of: Samples.stream, containing: row.first) == nil)
        #expect(try await catalog.deletingSegments() == [row])
        #expect(try await catalog.segmentTotals(of: Samples.stream) == .none)

        for _ in 0..<2 {
            try await catalog.removeSegments([row.first], of: Samples.stream, owner: .single)
        }
        #expect(try await catalog.deletingSegments() == [])
        #expect(try await catalog.integrityFindings() == [])
    }

    @Test func `a suspect log segment keeps its durable length`() throws {
        let folder = folder
        let catalog = try Catalog.open(path: folder.file("c.sqlite"), integrityCheck: true)
        try catalog.insertStreamBlocking(
            Samples.stream,
            name: StreamName("dock-3")!,
            owner: .single
        )
        var row = Samples.open(1, producer: 5)
        try catalog.insertSegmentBlocking(row, owner: .single)
        let extent = Samples.extent(row, span: 10, fragmentCount: 1)
        try catalog.markSuspectBlocking(
            row.first,
            of: Samples.stream,
            durableByteCount: 4321,
            extent: extent,
            owner: .single
        )
        row.state = .suspect
        row.extent = extent
        row.durableByteCount = 4321
        #expect(try catalog.suspectSegmentsBlocking() == [row])
        #expect(try catalog.openSegmentsBlocking() == [])
    }

    @Test func `a write of a stale owner changes nothing`() async throws {
        let catalog = try await Samples.catalog(in: folder)
        let row = Samples.open(1, producer: 0)
        try await catalog.insertSegment(row, owner: .single)
        let stale = OwnerEpoch(rawValue: 2)
        let extent = Samples.extent(row, span: 5)
        let stream = Samples.stream
        let first = row.first
        let writes: [@Sendable () async throws -> Void] = [
            { try await catalog.insertSegment(Samples.open(2, producer: 0), owner: stale) },
            { try await catalog.sealSegment(first, of: stream, extent: extent, owner: stale) },
            {
                try await catalog.markSuspect(
                    first,
                    of: stream,
                    durableByteCount: 1,
                    extent: nil,
                    owner: stale
                )
            },
            { try await catalog.markDeleting([first], of: stream, owner: stale) },
            { try await catalog.removeSegments([first], of: stream, owner: stale) },
            { try await catalog.removeStream(stream, owner: stale) },
            { try await catalog.recordEvents(of: stream, [], from: 0, upTo: 9, owner: stale) },
            { try await catalog.replaceEvents(of: stream, with: [], upTo: 9, owner: stale) },
            { try await catalog.expireEvents(of: stream, before: Samples.time(9), owner: stale) },
        ]
        for write in writes { #expect(await code(write) == .staleOwner) }
        #expect(try await catalog.segments(of: stream, after: nil, limit: 10) == [row])
        #expect(try await catalog.stream(stream)?.eventsOffset == 0)
    }

    @Test func `a change that cannot be made takes the whole batch with it`() async throws {
        let catalog = try await Samples.catalog(in: folder)
        let stream = Samples.stream
        let row = Samples.open(1, producer: 0)
        let extent = Samples.extent(row, span: 5)
        try await catalog.insertSegment(row, owner: .single)
        let missing = Samples.number(8)
        var sealedTwice = Samples.sealed(1, producer: 0)
        sealedTwice.first = Samples.number(1, server: 5)
        let refused: [(SegmentChange, CatalogError.Code)] = [
            (.insert(row), .conflict),
            (.insert(sealedTwice), .conflict),
            (.seal(stream, first: missing, extent), .unknownSegment),
            (.seal(stream, first: Samples.number(1, server: 5), extent), .conflict),
            (.markDeleting(stream, [row.first, missing]), .unknownSegment),
            (.insert(Samples.open(9, producer: 0, of: StreamID(rawValue: 3))), .unknownStream),
            (.insert(Samples.open(1 << 63, producer: 0)), .invalidValue),
            (.insert(Samples.open(9, producer: 0, ordinal: .max)), .invalidValue),
        ]
        for (change, expected) in refused {
            let batch = [.insert(Samples.open(500, producer: 0)), change]
            #expect(await code { try await catalog.apply(batch, owner: .single) } == expected)
            #expect(try await catalog.segments(of: stream, after: nil, limit: 10) == [row])
        }
        try await catalog.sealSegment(row.first, of: stream, extent: extent, owner: .single)
        #expect(
            await code {
                try await catalog.sealSegment(row.first, of: stream, extent: extent, owner: .single)
            } == .conflict
        )
    }

    @Test func `the schema refuses what makes no sense`() async throws {
        let catalog = try await Samples.catalog(in: folder)
        var noExtent = Samples.open(1, producer: 0)
        noExtent.state = .sealed
        var openWithExtent = Samples.sealed(1, producer: 0)
        openWithExtent.state = .open
        var backwards = Samples.sealed(1, producer: 100)
        backwards.extent?.producerEnd = Samples.time(99)
        var empty = Samples.sealed(1, producer: 0)
        empty.extent?.fragmentCount = 0
        var lastFirst = Samples.sealed(5, producer: 0)
        lastFirst.extent?.last = Samples.number(4)
        var suspect = Samples.sealed(1, producer: 0)
        suspect.state = .suspect
        for row in [noExtent, openWithExtent, backwards, empty, lastFirst, suspect] {
            #expect(
                await code { try await catalog.insertSegment(row, owner: .single) } == .conflict
            )
        }
    }

    @Test func `the ends of the value ranges come back as they went in`() async throws {
        let catalog = try await Samples.catalog(in: folder)
        let largest = UInt64(Int64.max)
        var row = SegmentRow(
            stream: Samples.stream,
            first: FragmentNumber(sequence: 0, serverMilliseconds: 0, random: 0),
            firstOrdinal: largest,
            kind: .putMedia,
            headerByteCount: 0,
            producerStart: Samples.time(.min),
            serverStart: Samples.time(.min)
        )
        try await catalog.insertSegment(row, owner: .single)
        row.state = .sealed
        row.extent = SegmentExtent(
            fragmentCount: largest,
            last: FragmentNumber(
                sequence: largest,
                serverMilliseconds: largest,
                random: 0x0FFF_FFFF
            ),
            producerEnd: Samples.time(.max),
            serverEnd: Samples.time(.max),
            byteCount: largest
        )
        try await catalog.sealSegment(
            row.first,
            of: Samples.stream,
            extent: row.extent!,
            owner: .single
        )
        #expect(try await catalog.lastSegment(of: Samples.stream) == row)
        for range in [
            Samples.range(.min, .max), Samples.range(0, 1), Samples.range(.max - 1, .max),
        ] {
            #expect(
                try await catalog.segments(of: Samples.stream, producerRange: range, limit: 5)
                    == [row]
            )
            #expect(
                try await catalog.segments(of: Samples.stream, serverRange: range, limit: 5)
                    == [row]
            )
        }
    }

    @Test func `a full disk refuses writes, serves reads, and recovers by itself`() async throws {
        let catalog = try await Samples.catalog(in: folder)
        try await catalog.file.execute("PRAGMA max_page_count = 30")
        var stored: [SegmentRow] = []
        let failure = await code {
            for sequence in 1...2000 {
                let row = Samples.open(UInt64(sequence), producer: 0)
                try await catalog.insertSegment(row, owner: .single)
                stored.append(row)
            }
        }
        #expect(failure == .diskFull)
        #expect(!stored.isEmpty)
        #expect(try await catalog.openSegments() == stored)
        try await catalog.file.execute("PRAGMA max_page_count = 100000")
        try await catalog.insertSegment(Samples.open(9000, producer: 0), owner: .single)
        #expect(try await catalog.openSegments().count == stored.count + 1)
        #expect(try await catalog.integrityFindings() == [])
    }

    @Test func `many threads and tasks write and read together`() async throws {
        let catalog = try await Samples.catalog(in: folder)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 0..<8 {
                group.addTask {
                    for index in 0..<25 {
                        let sequence = UInt64(writer * 1000 + index * 10 + 1)
                        let row = Samples.open(sequence, producer: Int64(sequence))
                        try await catalog.insertSegment(row, owner: .single)
                        try await catalog.sealSegment(
                            row.first,
                            of: Samples.stream,
                            extent: Samples.extent(row, span: 5),
                            owner: .single
                        )
                        let found = try await catalog.segment(
                            of: Samples.stream,
                            containing: row.first
                        )
                        #expect(found?.state == .sealed)
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(try await catalog.segmentTotals(of: Samples.stream).segmentCount == 200)
    }

    @Test func `a write ends although its task is cancelled`() async throws {
        let catalog = try await Samples.catalog(in: folder)
        let row = Samples.open(1, producer: 0)
        let task = Task {
            unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
            try await catalog.insertSegment(row, owner: .single)
            return try await catalog.openSegments()
        }
        #expect(try await task.value == [row])
    }
}

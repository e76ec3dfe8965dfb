import MediaModel
import Testing

@testable import Catalog

struct DailyCopiesTests {
    typealias Samples = SegmentSamples

    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test func `a copy holds what the catalog holds, and opens as one`() async throws {
        let catalog = try await Samples.catalog(in: folder)
        let row = Samples.sealed(4, producer: 5)
        try await catalog.insertSegment(row, owner: .single)
        for _ in 0..<2 { try await catalog.vacuumCopy(to: folder.file("copy.sqlite")) }
        try catalog.close()
        #expect(try folder.names() == ["catalog.sqlite", "copy.sqlite"])
        let copy = try Catalog.open(path: folder.file("copy.sqlite"), integrityCheck: true)
        #expect(try await copy.segments(of: Samples.stream, after: nil, limit: 5) == [row])
        #expect(try await copy.integrityFindings() == [])
        try copy.close()
    }

    @Test func `a copy that cannot be made leaves nothing behind`() async throws {
        let catalog = try await Samples.catalog(in: folder)
        let error = await #expect(throws: CatalogError.self) {
            try await catalog.vacuumCopy(to: folder.file("nowhere/copy.sqlite"))
        }
        #expect(error?.code == .cannotOpen)
        try catalog.close()
        #expect(try folder.names() == ["catalog.sqlite"])
    }

    @Test func `the last three daily copies of both databases are kept`() async throws {
        let catalog = try await Samples.catalog(in: folder)
        let consumers = try ConsumerStore.open(path: folder.file("consumers.sqlite"))
        try makeDirectory(folder.file("copies"))
        let copies = DailyCopies(directory: folder.file("copies"))
        try folder.write([1], to: "copies/catalog-notes.sqlite")
        let day: Int64 = 86_400_000
        for index in 0..<5 {
            let now = Samples.time(1_790_000_000_000 + Int64(index) * day)
            #expect(try copies.isDue(at: now))
            let made = try await copies.make(of: catalog, and: consumers, at: now)
            #expect(made.count == 2)
            #expect(try !copies.isDue(at: now))
        }
        let names = try FileCalls.names(in: folder.file("copies")).sorted()
        #expect(
            names == [
                "catalog-2026-09-23.sqlite", "catalog-2026-09-24.sqlite",
                "catalog-2026-09-25.sqlite", "catalog-notes.sqlite",
                "consumers-2026-09-23.sqlite", "consumers-2026-09-24.sqlite",
                "consumers-2026-09-25.sqlite",
            ]
        )
        let newest = try copies.copies(
            of: .catalog,
            at: Samples.time(1_790_000_000_000 + 4 * day)
        )
        #expect(newest.first == folder.file("copies/catalog-2026-09-25.sqlite"))
        #expect(newest.count == 3)
    }

    @Test func `the newest whole copy is restored`() async throws {
        let catalog = try await Samples.catalog(in: folder)
        let consumers = try ConsumerStore.open(path: folder.file("consumers.sqlite"))
        let copies = DailyCopies(directory: folder.path)
        let rows = (0..<3).map { Samples.sealed($0 * 10, producer: 5) }
        for (day, row) in rows.enumerated() {
            try await catalog.insertSegment(row, owner: .single)
            let now = Samples.time(1_790_000_000_000 + Int64(day) * 86_400_000)
            _ = try await copies.make(of: catalog, and: consumers, at: now)
        }
        try catalog.close()
        try consumers.close()
        let now = Samples.time(1_790_000_000_000 + 86_400_000 * 2)
        let refused = #expect(throws: CatalogError.self) {
            try copies.restore(.catalog, to: folder.file("catalog.sqlite"), at: now)
        }
        #expect(refused?.code == .conflict)

        var bytes = try folder.bytes("catalog-2026-09-23.sqlite")
        bytes.replaceSubrange(8192..<12_288, with: repeatElement(7, count: 4096))
        try folder.write(bytes, to: "catalog-2026-09-23.sqlite")
        try FileCalls.remove(folder.file("catalog.sqlite"))
        try folder.write([1, 2, 3], to: "catalog.sqlite-wal")
        let before = try folder.bytes("catalog-2026-09-22.sqlite")
        #expect(
            try copies.restore(.catalog, to: folder.file("catalog.sqlite"), at: now)
                == folder.file("catalog-2026-09-22.sqlite")
        )
        #expect(try folder.bytes("catalog-2026-09-22.sqlite") == before)
        let restored = try Catalog.open(path: folder.file("catalog.sqlite"), integrityCheck: true)
        #expect(
            try await restored.segments(of: Samples.stream, after: nil, limit: 9)
                == Array(rows.prefix(2))
        )
        try restored.close()
        let nothing = DailyCopies(directory: folder.path)
        for name in try folder.names() { try FileCalls.remove(folder.file(name)) }
        #expect(try nothing.restore(.consumers, to: folder.file("c.sqlite"), at: now) == nil)
    }

    @Test func `copies dated after today go first`() {
        #expect(
            DailyCopies.ordered(
                ["2036-01-01", "2026-01-01", "2026-01-03", "2036-01-02", "2026-01-02"],
                today: "2026-01-03"
            ) == ["2026-01-03", "2026-01-02", "2026-01-01", "2036-01-02", "2036-01-01"]
        )
    }

    @Test func `a clock beyond the calendar makes no copy`() throws {
        let copies = DailyCopies(directory: folder.path)
        let error = #expect(throws: CatalogError.self) {
            try copies.isDue(at: Samples.time(.max))
        }
        #expect(error?.code == .invalidValue)
    }
}

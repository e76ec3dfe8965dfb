import MediaModel
import TestSupport
import Testing

@testable import Catalog

struct CatalogDamageTests {
    typealias Samples = SegmentSamples

    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private var path: String { folder.file("catalog.sqlite") }

    /// What a look at a damaged catalog comes to.
    private enum Outcome {
        case refused
        case found
        case unharmed
        case otherValues
    }

    /// A closed catalog with rows in every table and every state.
    private func makeCatalog() async throws {
        let catalog = try await Samples.catalog(in: folder)
        var suspect = Samples.sealed(5000, producer: 7)
        suspect.state = .suspect
        suspect.durableByteCount = 9
        var deleting = Samples.sealed(5010, producer: 7)
        deleting.state = .deleting
        try await catalog.apply(
            (1...200).map { .insert(Samples.sealed($0 * 10, producer: Int64($0) * 1000)) }
                + [suspect, deleting, Samples.open(5020, producer: 9)].map { .insert($0) },
            owner: .single
        )
        let gap = Gap(
            start: Samples.time(5),
            end: Samples.time(50),
            clock: .producer,
            reason: .crash,
            after: Samples.number(5)
        )
        try await catalog.recordEvents(
            of: Samples.stream,
            (1...40).flatMap { id in
                [
                    .gap(gap),
                    .sessionOpened(
                        id: id,
                        protocolName: "http",
                        peer: "192.0.2.1:5",
                        clockSource: .start,
                        at: Samples.time(3)
                    ),
                ]
            },
            from: 0,
            upTo: 99,
            owner: .single
        )
        try catalog.close()
    }

    /// Everything the catalog says.
    private func contents(_ catalog: Catalog) async throws(CatalogError) -> [String] {
        let all = Samples.range(.min, .max)
        let stream = Samples.stream
        var lines: [String] = []
        lines.append("\(try await catalog.streams())")
        lines.append("\(String(describing: try await catalog.stream(stream)))")
        lines.append("\(try await catalog.segments(of: stream, after: nil, limit: 999))")
        lines.append(
            "\(try await catalog.segments(of: stream, producerRange: all, limit: 999))"
        )
        lines.append("\(try await catalog.segments(of: stream, serverRange: all, limit: 999))")
        for ordinal in stride(from: UInt64(0), to: 6000, by: 400) {
            let row = try await catalog.segment(of: stream, containingOrdinal: ordinal)
            lines.append("\(String(describing: row))")
        }
        lines.append("\(try await catalog.openSegments())")
        lines.append("\(try await catalog.suspectSegments())")
        lines.append("\(try await catalog.deletingSegments())")
        let expired = try await catalog.segmentsExpired(
            of: stream,
            serverEndBefore: Samples.time(.max),
            limit: 999
        )
        lines.append("\(expired)")
        lines.append("\(try await catalog.openSessions())")
        lines.append("\(try await catalog.gaps(of: stream, on: .producer, in: all, limit: 999))")
        return lines
    }

    private func outcome(
        of bytes: [UInt8],
        against good: [String],
        integrityCheck: Bool
    ) async throws -> Outcome {
        try folder.write(bytes, to: "catalog.sqlite")
        for suffix in DatabaseFile.companionSuffixes { try FileCalls.remove(path + suffix) }
        do {
            let catalog = try Catalog.open(path: path, integrityCheck: integrityCheck)
            defer { try? catalog.close() }
            let found = try await contents(catalog)
            if try await !catalog.integrityFindings().isEmpty { return .found }
            return found == good ? .unharmed : .otherValues
        } catch {
            #expect([.damaged, .newerVersion].contains(error.code), "\(error)")
            return .refused
        }
    }

    private func goodContents() async throws -> [String] {
        let catalog = try Catalog.open(path: path, integrityCheck: true)
        let good = try await contents(catalog)
        try catalog.close()
        return good
    }

    @Test func `a page of something else is damage, unless nothing is on that page`() async throws {
        try await makeCatalog()
        let good = try await goodContents()
        let bytes = try folder.bytes("catalog.sqlite")
        #expect(bytes.count > 20 * 4096)
        var unharmed = 0
        for page in 1..<bytes.count / 4096 {
            var damaged = bytes
            for index in 0..<4096 {
                damaged[page * 4096 + index] = UInt8(truncatingIfNeeded: index &* 131 &+ page)
            }
            switch try await outcome(of: damaged, against: good, integrityCheck: true) {
            case .refused: break
            case .unharmed: unharmed += 1
            case .found, .otherValues: Issue.record("page \(page + 1) was served")
            }
        }
        // A free page may hold anything.
        #expect(unharmed <= 2)
    }

    @Test(arguments: [true, false])
    func `a flipped bit is an error or an answer, never a trap`(integrityCheck: Bool) async throws {
        try await makeCatalog()
        let good = try await goodContents()
        let bytes = try folder.bytes("catalog.sqlite")
        var random = SplitMix(state: integrityCheck ? 1 : 2)
        var counts: [Outcome: Int] = [:]
        for _ in 0..<Effort.count(150, underThreadSanitizer: 15) {
            var damaged = bytes
            let index = Int(random.next() % UInt64(bytes.count))
            damaged[index] ^= 1 << UInt8(random.next() % 8)
            let outcome = try await outcome(
                of: damaged,
                against: good,
                integrityCheck: integrityCheck
            )
            counts[outcome, default: 0] += 1
        }
        // SQLite has no checksums: a value in a row may change unseen, and only the files tell.
        #expect(counts[.otherValues, default: 0] < 20)
        // Too few rounds under the sanitizer to say so.
        #expect(counts[.refused, default: 0] > 5 || Effort.isUnderThreadSanitizer)
    }

    @Test func `a database of another shape under our header is damage`() async throws {
        try await makeCatalog()
        let catalog = try Catalog.open(path: path, integrityCheck: true)
        try await catalog.file.execute("ALTER TABLE grdb_migrations RENAME COLUMN identifier TO x")
        try catalog.close()
        let error = #expect(throws: CatalogError.self) {
            try Catalog.open(path: path, integrityCheck: true)
        }
        #expect(error?.code == .damaged)
    }
}

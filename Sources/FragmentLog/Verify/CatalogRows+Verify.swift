import Catalog
import MediaModel

/// What checks and repairs ask of the catalog.
extension CatalogRows {
    private static let rowsPerPage = 500

    /// All of time, as far as the catalog can hold it.
    private static let always = Timestamp(milliseconds: .min)..<Timestamp(milliseconds: .max)

    func stream(_ id: StreamID) throws(LogError) -> StreamRow? {
        try Self.translating { () throws(CatalogError) in try catalog.streamBlocking(id) }
    }

    func session(_ session: UInt64, of id: StreamID) throws(LogError) -> SessionRow? {
        try Self.translating { () throws(CatalogError) in
            try catalog.sessionBlocking(session, of: id)
        }
    }

    /// How often the catalog has exactly this gap.
    func count(of gap: Gap, in id: StreamID) throws(LogError) -> Int {
        let instant = gap.start..<gap.start.advanced(byMilliseconds: 1)
        var count = 0
        var previous: GapRow?
        while true {
            let last = previous
            let page = try Self.translating { () throws(CatalogError) in
                try catalog.gapsBlocking(
                    of: id,
                    on: gap.clock,
                    in: instant,
                    after: last,
                    limit: Self.rowsPerPage
                )
            }
            count += page.count { $0.gap == gap }
            guard page.count == Self.rowsPerPage else { return count }
            previous = page.last
        }
    }

    /// How many gaps the catalog has of a stream.
    func gapCount(of id: StreamID) throws(LogError) -> UInt64 {
        var count: UInt64 = 0
        for clock in StreamClock.allCases {
            var previous: GapRow?
            while true {
                let last = previous
                let page = try Self.translating { () throws(CatalogError) in
                    try catalog.gapsBlocking(
                        of: id,
                        on: clock,
                        in: Self.always,
                        after: last,
                        limit: Self.rowsPerPage
                    )
                }
                count += UInt64(page.count)
                if page.count < Self.rowsPerPage { break }
                previous = page.last
            }
        }
        return count
    }

    /// Adds a log segment in any state, when the catalog is built again.
    func insert(_ row: SegmentRow, epoch: UInt64) throws(LogError) {
        try Self.translating { () throws(CatalogError) in
            try catalog.insertSegmentBlocking(row, owner: owner(epoch))
        }
    }

    /// What is wrong with the tables themselves, a line each.
    func integrityFindingsBlocking() throws(LogError) -> [String] {
        let catalog = catalog
        return try BlockingBridge.run { () async throws(LogError) in
            do throws(CatalogError) {
                return try await catalog.integrityFindings()
            } catch {
                throw LogError(.damaged, error.message, cause: error)
            }
        }
    }
}

extension CatalogRows {
    /// Every log segment of a stream, those being deleted included.
    func allSegments(of id: StreamID) throws(LogError) -> [FragmentNumber: SegmentRow] {
        var found: [FragmentNumber: SegmentRow] = [:]
        var after: FragmentNumber?
        while true {
            let page = try segments(of: id, after: after, limit: Self.rowsPerPage)
            for row in page { found[row.first] = row }
            after = page.last?.first ?? after
            if page.count < Self.rowsPerPage { break }
        }
        for row in try deletingSegments() where row.stream == id { found[row.first] = row }
        return found
    }

    /// Opens the catalog without its daily copies or the consumers, after a full structural check.
    static func openAlone(
        _ path: String,
        ifMissing: MissingDatabase = .fail
    ) throws(LogError) -> CatalogRows {
        try translating { () throws(CatalogError) in
            CatalogRows(
                catalog: try Catalog.open(path: path, integrityCheck: true, ifMissing: ifMissing),
                consumers: nil,
                copies: nil
            )
        }
    }

    /// Opens and closes the consumers' database, after a full structural check.
    static func checkConsumers(_ path: String) throws(LogError) {
        try translating { () throws(CatalogError) in
            try ConsumerStore.open(path: path, integrityCheck: true, ifMissing: .fail).close()
        }
    }
}

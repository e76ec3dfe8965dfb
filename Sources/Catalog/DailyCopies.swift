package import MediaModel

/// The folder of daily database copies: `catalog-2026-11-21.sqlite`, `consumers-2026-11-21.sqlite`.
package struct DailyCopies: Sendable {
    /// The databases that are copied.
    package enum Database: String, Sendable, CaseIterable {
        case catalog
        case consumers
    }

    /// The folder; it must exist.
    package let directory: String

    /// How many copies of each database are kept; at least 1.
    package let keepCount: Int

    /// A folder of copies.
    package init(directory: String, keepCount: Int = 3) {
        self.directory = directory
        self.keepCount = max(1, keepCount)
    }

    /// Whether either database lacks the copy of the day (in UTC) that `now` falls on.
    ///
    /// Blocks.
    package func isDue(at now: Timestamp) throws(CatalogError) -> Bool {
        let day = try Self.day(of: now)
        let names = Set(try FileCalls.names(in: directory))
        return Database.allCases.contains { !names.contains(Self.name($0, day)) }
    }

    /// Copies both databases under today's date and removes the copies that are too many.
    ///
    /// A copy of the same day is replaced. Nothing is removed before the new copies are durable.
    ///
    /// - Returns: The files written.
    package func make(
        of catalog: Catalog,
        and consumers: ConsumerStore,
        at now: Timestamp
    ) async throws(CatalogError) -> [String] {
        let day = try Self.day(of: now)
        let targets = Database.allCases.map { directory + "/" + Self.name($0, day) }
        try await catalog.vacuumCopy(to: targets[0])
        try await consumers.vacuumCopy(to: targets[1])
        try await catalog.file.readWithoutSnapshot("remove old copies") { _ in
            try prune(today: day)
        }
        return targets
    }

    /// The copies of a database that there are, the one to restore first.
    ///
    /// Blocks.
    package func copies(
        of database: Database,
        at now: Timestamp
    ) throws(CatalogError) -> [String] {
        let today = try Self.day(of: now)
        return Self.ordered(try days(of: database), today: today).map {
            directory + "/" + Self.name(database, $0)
        }
    }

    /// Puts the newest copy that is whole in the place of a database that is not there.
    ///
    /// Copies dated after `now` come last. Blocks.
    ///
    /// - Parameters:
    ///   - database: Which one.
    ///   - path: Where it belongs; nothing may lie there.
    ///   - now: The clock, to tell which copies are not of the future.
    /// - Returns: The copy that was used; `nil` when there is none that is whole.
    /// - Throws: ``CatalogError/Code/conflict`` when something lies at `path`, and what the disk may
    ///   do. A damaged copy is passed over.
    package func restore(
        _ database: Database,
        to path: String,
        at now: Timestamp
    ) throws(CatalogError) -> String? {
        guard try FileCalls.kind(of: path) == .missing else {
            throw CatalogError(
                code: .conflict,
                message: "A copy cannot be restored to '\(path)': something lies there. "
                    + "Move it away first."
            )
        }
        let kind: DatabaseKind =
            switch database {
            case .catalog: .catalog
            case .consumers: .consumers
            }
        for copy in try copies(of: database, at: now) {
            do {
                try DatabaseFile.restore(copy, to: path, kind)
                return copy
            } catch  where error.code == .damaged {
                continue
            }
        }
        return nil
    }

    private func prune(today: String) throws(CatalogError) {
        for database in Database.allCases {
            let days = Self.ordered(try days(of: database), today: today)
            for day in days.dropFirst(keepCount) {
                try FileCalls.remove(directory + "/" + Self.name(database, day))
            }
        }
    }

    /// The newest first, but those dated after today last: they were made under a wrong clock, and
    /// must not push out what is made under the right one.
    static func ordered(_ days: [String], today: String) -> [String] {
        days.sorted { left, right in
            (left <= today) == (right <= today) ? left > right : left <= today
        }
    }

    private func days(of database: Database) throws(CatalogError) -> [String] {
        let prefix = database.rawValue + "-"
        let suffix = ".sqlite"
        return try FileCalls.names(in: directory).compactMap { name in
            guard name.hasPrefix(prefix), name.hasSuffix(suffix) else { return nil }
            let day = String(name.dropFirst(prefix.count).dropLast(suffix.count))
            return Self.isDay(day) ? day : nil
        }
    }

    private static func name(_ database: Database, _ day: String) -> String {
        "\(database.rawValue)-\(day).sqlite"
    }

    private static func isDay(_ text: String) -> Bool {
        Timestamp(rfc3339: text + "T00:00:00Z") != nil
    }

    private static func day(of time: Timestamp) throws(CatalogError) -> String {
        let day = String(time.description.prefix(10))
        if isDay(day) { return day }
        throw CatalogError(
            code: .invalidValue,
            message: "The clock says \(time), which is no date a copy can be named after; "
                + "set the clock."
        )
    }
}

internal import GRDB

/// What tests ask of a database, since no SQL runs outside this target.
extension DatabaseFile {
    /// A setting of the writing connection, as text.
    func setting(_ name: String) async throws(CatalogError) -> String? {
        try await write("read a setting") { db in
            try String.fetchOne(db, sql: "PRAGMA \(name)")
        }
    }

    /// Runs one statement.
    func execute(_ sql: String) async throws(CatalogError) {
        try await write("run a statement") { db in try db.execute(sql: sql) }
    }

    /// SQLite's plan for every lookup.
    func plans() async throws(CatalogError) -> [(name: String, lines: [String])] {
        try await read("explain the lookups") { db in try LookupStatement.plans(db) }
    }
}

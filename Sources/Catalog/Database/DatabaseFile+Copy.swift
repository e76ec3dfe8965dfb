internal import GRDB

extension DatabaseFile {
    /// Writes a compact copy of the database as it is now.
    ///
    /// Runs on a reading connection, so writes do not wait for it. The copy appears under `target`
    /// complete and durable, or not at all.
    func vacuumCopy(to target: String) async throws(CatalogError) {
        let draft = target + ".new"
        try await readWithoutSnapshot("copy it to '\(target)'") { db in
            for suffix in [""] + Self.companionSuffixes { try FileCalls.remove(draft + suffix) }
            do {
                try db.execute(sql: "VACUUM INTO ?", arguments: [draft])
                try FileCalls.sync(draft)
                try FileCalls.replace(target, with: draft)
            } catch {
                try? FileCalls.remove(draft)
                throw error
            }
        }
    }

    /// Runs SQLite's full check, which also compares every index with its table.
    ///
    /// Reads the whole file; minutes for a very large one.
    ///
    /// - Returns: What is wrong, at most 100 lines; empty when nothing is.
    static func integrityFindings(_ db: Database) throws -> [String] {
        let findings = try String.fetchAll(db, sql: "PRAGMA integrity_check")
        return findings == ["ok"] ? [] : findings
    }
}

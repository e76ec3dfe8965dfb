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

    /// Puts a copy in the place of a database that is not there, after checking all of the copy.
    ///
    /// The copy itself is not touched. Blocks.
    static func restore(
        _ copy: String,
        to path: String,
        _ kind: DatabaseKind
    ) throws(CatalogError) {
        guard case .file(let byteCount) = try FileCalls.kind(of: copy) else {
            throw .damaged(copy, "it is not a file")
        }
        try checkHeader(copy, kind, byteCount)
        let draft = path + ".new"
        for suffix in [""] + companionSuffixes { try FileCalls.remove(draft + suffix) }
        var configuration = Self.configuration()
        configuration.readonly = true
        do {
            let queue = try DatabaseQueue(path: copy, configuration: configuration)
            let findings = try queue.writeWithoutTransaction { db in
                let findings = try integrityFindings(db)
                if findings.isEmpty {
                    try db.execute(sql: "VACUUM INTO ?", arguments: [draft])
                }
                return findings
            }
            try queue.close()
            if !findings.isEmpty {
                throw CatalogError.damaged(copy, findings.joined(separator: "; "))
            }
        } catch {
            throw CatalogError(error, path: copy, attempt: "restore it")
        }
        try FileCalls.sync(draft)
        for suffix in companionSuffixes { try FileCalls.remove(path + suffix) }
        try FileCalls.replace(path, with: draft)
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

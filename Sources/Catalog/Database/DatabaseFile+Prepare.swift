internal import GRDB

extension DatabaseFile {
    /// The files SQLite keeps beside a database.
    static let companionSuffixes = ["-wal", "-shm", "-journal"]

    /// Checks what lies at `path` before SQLite touches it, and makes the file when there is none.
    ///
    /// SQLite takes an empty file for a new database and a foreign one for ours, so both are
    /// refused here.
    ///
    /// - Returns: Whether the file was made.
    static func prepare(
        _ path: String,
        _ kind: DatabaseKind,
        _ ifMissing: MissingDatabase
    ) throws(CatalogError) -> Bool {
        switch try FileCalls.kind(of: path) {
        case .missing:
            guard ifMissing == .create else {
                throw CatalogError(
                    code: .missing,
                    message: "Database '\(path)' does not exist. Stop the server and run "
                        + "'kinelog verify --repair', which builds it from the stored media."
                )
            }
            try create(path, kind)
            return true
        case .directory:
            throw .damaged(path, "a directory lies in its place")
        case .other:
            throw .damaged(path, "something that is not a file lies in its place")
        case .file(let byteCount):
            try FileCalls.checkAccess(path)
            try checkHeader(path, kind, byteCount)
            return false
        }
    }

    /// Reads what the header of the file says about itself (SQLite file format, 1.3).
    static func checkHeader(
        _ path: String,
        _ kind: DatabaseKind,
        _ byteCount: Int64
    ) throws(CatalogError) {
        guard byteCount >= 100 else {
            throw .damaged(path, "it has \(byteCount) bytes where a database has at least 100")
        }
        let head = try FileCalls.head(of: path, count: 100)
        guard head.count == 100, head.starts(with: "SQLite format 3\0".utf8) else {
            throw .damaged(path, "its first 16 bytes are not those of an SQLite database")
        }
        func number(at offset: Int) -> UInt32 {
            head[offset..<offset + 4].reduce(0) { $0 << 8 | UInt32($1) }
        }
        guard number(at: 68) == kind.applicationID else {
            throw .damaged(
                path,
                "it is an SQLite database, but not a \(kind.title) (application id "
                    + "\(number(at: 68)) at byte 68 where \(kind.applicationID) belongs)"
            )
        }
        if number(at: 60) > kind.schemaVersion {
            throw .newerVersion(
                path,
                "its schema has version \(number(at: 60)), this one knows \(kind.schemaVersion)"
            )
        }
    }

    /// Makes an empty database under another name and moves it into place when it is complete.
    ///
    /// So a file under the final name always has a header and a schema, whenever a crash came.
    private static func create(_ path: String, _ kind: DatabaseKind) throws(CatalogError) {
        let draft = path + ".new"
        for suffix in [""] + companionSuffixes { try FileCalls.remove(draft + suffix) }
        do {
            let queue = try DatabaseQueue(path: draft, configuration: configuration())
            try queue.writeWithoutTransaction { db in
                try db.execute(sql: "PRAGMA application_id = \(kind.applicationID)")
            }
            try kind.migrator.migrate(queue)
            try queue.close()
        } catch {
            throw CatalogError(error, path: draft, attempt: "make it")
        }
        try FileCalls.sync(draft)
        // A WAL left behind by a lost database would be replayed into the new one.
        for suffix in companionSuffixes { try FileCalls.remove(path + suffix) }
        try FileCalls.replace(path, with: draft)
    }

    /// Moves a database and its companions out of the way, for the repair that builds a new one.
    ///
    /// - Returns: The new name of the file; `nil` when there is none.
    static func moveAside(_ path: String) throws(CatalogError) -> String? {
        if try FileCalls.kind(of: path) == .missing { return nil }
        var count = 1
        while try FileCalls.kind(of: "\(path).damaged-\(count)") != .missing { count += 1 }
        let target = "\(path).damaged-\(count)"
        try FileCalls.replace(target, with: path)
        for suffix in companionSuffixes
        where try FileCalls.kind(of: path + suffix) != .missing {
            try FileCalls.replace(target + suffix, with: path + suffix)
        }
        return target
    }
}

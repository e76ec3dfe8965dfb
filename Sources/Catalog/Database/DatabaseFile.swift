internal import GRDB
internal import Synchronization

/// What to do when a database file does not exist.
package enum MissingDatabase: Sendable {
    /// Make an empty one.
    case create
    /// Fail with ``CatalogError/Code/missing``.
    case fail
}

/// One open SQLite file in WAL mode whose commits are durable.
///
/// Writes follow one another on one connection; reads run beside them on others, each on a
/// snapshot. Nothing runs on the cooperative pool: the async calls wait without holding a thread,
/// the blocking ones hold the caller's. A call that has begun ends whatever happens to its task, so
/// that a cancelled caller never leaves a write half decided.
final class DatabaseFile: Sendable {
    /// Where the file lies.
    let path: String

    /// Whether the file was made by this opening.
    let wasCreated: Bool

    private let pool: DatabasePool

    private let isClosed = Atomic(false)

    /// How long a call waits for another process that holds the file, in seconds.
    private static let busyTimeoutSeconds = 10.0

    /// Opens a file, checks it and brings its schema up to date.
    ///
    /// Blocks. With `integrityCheck`, reads the whole file (`PRAGMA quick_check`).
    init(
        path: String,
        kind: DatabaseKind,
        ifMissing: MissingDatabase,
        integrityCheck: Bool
    ) throws(CatalogError) {
        self.path = path
        wasCreated = try Self.prepare(path, kind, ifMissing)
        let opened: DatabasePool
        do {
            opened = try DatabasePool(path: path, configuration: Self.configuration())
        } catch {
            throw CatalogError(error, path: path, attempt: "open it")
        }
        do {
            if integrityCheck { try Self.quickCheck(opened, path) }
            if try opened.read(kind.migrator.hasBeenSuperseded) {
                throw CatalogError.newerVersion(path, "it has schema steps unknown to this one")
            }
            try kind.migrator.migrate(opened)
            try Self.makeCommitsDurable(opened, path)
        } catch let error as DatabaseError where error.resultCode == .SQLITE_ERROR {
            // The statements are right, so the schema they meet is not ours.
            try? opened.close()
            throw .damaged(path, error.message ?? "its schema is not ours", cause: error)
        } catch {
            try? opened.close()
            throw CatalogError(error, path: path, attempt: "check it")
        }
        pool = opened
    }

    /// Runs one read on a snapshot, without holding a cooperative thread.
    func read<Value: Sendable>(
        _ attempt: String,
        _ body: @escaping @Sendable (Database) throws -> Value
    ) async throws(CatalogError) -> Value {
        try await withCheckedContinuation { continuation in
            pool.asyncRead { access in
                continuation.resume(
                    returning: self.result(attempt) { try body(access.get()) }
                )
            }
        }.get()
    }

    /// Runs one read on a snapshot on the calling thread.
    func readBlocking<Value>(
        _ attempt: String,
        _ body: (Database) throws -> Value
    ) throws(CatalogError) -> Value {
        try result(attempt) { try pool.read(body) }.get()
    }

    /// Runs something on a reading connection outside any snapshot, without holding a cooperative
    /// thread.
    func readWithoutSnapshot<Value: Sendable>(
        _ attempt: String,
        _ body: @escaping @Sendable (Database) throws -> Value
    ) async throws(CatalogError) -> Value {
        try await withCheckedContinuation { continuation in
            pool.asyncUnsafeRead { access in
                continuation.resume(
                    returning: self.result(attempt) { try body(access.get()) }
                )
            }
        }.get()
    }

    /// Runs one transaction, durable when this returns, without holding a cooperative thread.
    func write<Value: Sendable>(
        _ attempt: String,
        _ body: @escaping @Sendable (Database) throws -> Value
    ) async throws(CatalogError) -> Value {
        try await withCheckedContinuation { continuation in
            pool.asyncWriteWithoutTransaction { db in
                continuation.resume(
                    returning: self.result(attempt) { try Self.transaction(db, body) }
                )
            }
        }.get()
    }

    /// Runs one transaction on the calling thread, durable when this returns.
    func writeBlocking<Value>(
        _ attempt: String,
        _ body: (Database) throws -> Value
    ) throws(CatalogError) -> Value {
        try result(attempt) {
            try pool.writeWithoutTransaction { db in try Self.transaction(db, body) }
        }.get()
    }

    /// Waits for what is under way, folds the WAL into the file and closes it.
    ///
    /// Closed again, nothing happens.
    func close() throws(CatalogError) {
        if isClosed.exchange(true, ordering: .sequentiallyConsistent) { return }
        do {
            // The pool closes its readers last, and a reader cannot fold the WAL into the file. So
            // they go first here, after their reads.
            pool.releaseMemory()
            try pool.close()
        } catch {
            throw CatalogError(error, path: path, attempt: "close it")
        }
    }

    private static func transaction<Value>(
        _ db: Database,
        _ body: (Database) throws -> Value
    ) throws -> Value {
        var value: Value?
        try db.inTransaction(.immediate) {
            value = try body(db)
            return .commit
        }
        guard let value else { throw DatabaseError(resultCode: .SQLITE_ABORT) }
        return value
    }

    private func result<Value>(
        _ attempt: String,
        _ body: () throws -> Value
    ) -> Result<Value, CatalogError> {
        do {
            return .success(try body())
        } catch {
            if !isClosed.load(ordering: .sequentiallyConsistent) {
                return .failure(CatalogError(error, path: path, attempt: attempt))
            }
            return .failure(
                CatalogError(
                    code: .closed,
                    message: "Database '\(path)': could not \(attempt): it is closed, as the "
                        + "server is stopping.",
                    cause: error
                )
            )
        }
    }

    /// The settings of every connection.
    static func configuration() -> Configuration {
        var configuration = Configuration()
        configuration.busyMode = .timeout(busyTimeoutSeconds)
        configuration.maximumReaderCount = 8
        return configuration
    }

    /// Sets `synchronous=FULL` and reads it back.
    ///
    /// Opening a pool sets NORMAL after every hook has run, so it has to be set here: with NORMAL
    /// a power cut takes the newest commits away.
    private static func makeCommitsDurable(_ pool: DatabasePool, _ path: String) throws {
        let (synchronous, journal) = try pool.writeWithoutTransaction { db in
            try db.execute(sql: "PRAGMA synchronous = FULL")
            return (
                try Int.fetchOne(db, sql: "PRAGMA synchronous"),
                try String.fetchOne(db, sql: "PRAGMA journal_mode")
            )
        }
        guard synchronous == 2, journal == "wal" else {
            throw CatalogError(
                code: .unexpected,
                message: "Database '\(path)' does not take durable commits: synchronous is "
                    + "\(synchronous ?? -1) where 2 was set, the journal mode "
                    + "\(journal ?? "unknown") where wal was set."
            )
        }
    }

    private static func quickCheck(_ pool: DatabasePool, _ path: String) throws {
        let findings = try pool.read { db in
            try String.fetchAll(db, sql: "PRAGMA quick_check(3)")
        }
        if findings != ["ok"] {
            throw CatalogError.damaged(path, findings.joined(separator: "; "))
        }
    }
}

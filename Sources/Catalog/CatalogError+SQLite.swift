internal import GRDB

/// A stored row that does not decode; only a damaged file has one.
struct RowDamage: Error {
    var table: String
    var column: String
}

extension CatalogError {
    /// Turns whatever a database closure threw into an error that names the file.
    ///
    /// - Parameters:
    ///   - error: A ``CatalogError`` is passed on as it is.
    ///   - path: The database file.
    ///   - attempt: What was tried, as in "seal a log segment".
    init(_ error: any Error, path: String, attempt: String) {
        switch error {
        case let error as CatalogError:
            self = error
        case let error as RowDamage:
            self = .damaged(
                path,
                "a row of '\(error.table)' has an impossible value in '\(error.column)', "
                    + "found while trying to \(attempt)",
                cause: error
            )
        case let error as DatabaseError:
            self.init(sqlite: error, path: path, attempt: attempt)
        default:
            self.init(
                code: .unexpected,
                message: "Database '\(path)': could not \(attempt): \(error).",
                cause: error
            )
        }
    }

    private init(sqlite error: DatabaseError, path: String, attempt: String) {
        let detail = error.message ?? "SQLite error \(error.extendedResultCode.rawValue)"
        let head = "Database '\(path)': could not \(attempt): \(detail)"
        switch error.resultCode {
        case .SQLITE_CORRUPT, .SQLITE_NOTADB, .SQLITE_FORMAT:
            self = .damaged(path, "\(detail), found while trying to \(attempt)", cause: error)
        case .SQLITE_IOERR where error.extendedResultCode == .SQLITE_IOERR_SHORT_READ:
            // A page that the file is too short for, not a disk that fails.
            self = .damaged(path, "\(detail), found while trying to \(attempt)", cause: error)
        case .SQLITE_FULL:
            self.init(code: .diskFull, message: "\(head). Free some disk space.", cause: error)
        case .SQLITE_IOERR:
            self.init(
                code: .ioError,
                message: "\(head) (SQLite \(error.extendedResultCode.rawValue)). "
                    + "Check the disk and the kernel log.",
                cause: error
            )
        case .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_READONLY, .SQLITE_AUTH:
            self.init(
                code: .cannotOpen,
                message: "\(head). Check that this user may read and write the file and its "
                    + "folder.",
                cause: error
            )
        case .SQLITE_BUSY, .SQLITE_LOCKED:
            self.init(
                code: .busy,
                message: "\(head). Another process holds the database; end it and try again.",
                cause: error
            )
        case .SQLITE_CONSTRAINT:
            self.init(code: .conflict, message: "\(head).", cause: error)
        default:
            self.init(code: .unexpected, message: "\(head).", cause: error)
        }
    }
}

/// Why a database operation failed.
///
/// The message names the file, says what was attempted and found, and what to do about it.
package struct CatalogError: Error, CustomStringConvertible {
    /// What a caller may want to tell apart.
    package enum Code: Sendable, Hashable, CaseIterable {
        /// The file is not one of ours, or its content is not sound; `verify --repair` rebuilds it.
        case damaged
        /// A newer release wrote the file; this one must leave it alone.
        case newerVersion
        /// The file does not exist and was not to be made.
        case missing
        /// The file or its folder cannot be opened with the rights this process has.
        case cannotOpen
        /// Another owner holds the stream; nothing was written.
        case staleOwner
        /// The database does not know the stream.
        case unknownStream
        /// The database does not know the log segment.
        case unknownSegment
        /// What is there forbids the change (a name or number in use, a state that does not allow it).
        case conflict
        /// A value lies outside what the database can hold.
        case invalidValue
        /// No space is left for the database.
        case diskFull
        /// The disk failed to read or write.
        case ioError
        /// Another process kept the database locked past the busy timeout.
        case busy
        /// The database was closed before the operation.
        case closed
        /// Anything else: a bug of ours or a setting that would not hold.
        case unexpected
    }

    /// What went wrong, for the caller's `switch`.
    package let code: Code

    /// What was attempted, on which file, what was found and what to do.
    package let message: String

    /// The error underneath, where there is one.
    package let cause: (any Error)?

    /// An error from its parts.
    package init(code: Code, message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    package var description: String { message }
}

extension CatalogError {
    /// The error for a file whose content is not sound.
    static func damaged(
        _ path: String,
        _ finding: String,
        cause: (any Error)? = nil
    ) -> CatalogError {
        CatalogError(
            code: .damaged,
            message: "Database '\(path)' is damaged: \(finding). Stop the server and run "
                + "'kinelog verify --repair', which rebuilds it from the stored media; "
                + "no footage is lost by that.",
            cause: cause
        )
    }

    /// The error for a file that a later release wrote.
    static func newerVersion(_ path: String, _ finding: String) -> CatalogError {
        CatalogError(
            code: .newerVersion,
            message: "Database '\(path)' was written by a newer release: \(finding). "
                + "Run that release, or a later one, on this data directory."
        )
    }
}

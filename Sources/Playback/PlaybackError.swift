package import FragmentLog
package import Matroska

/// Why footage could not be read.
package struct PlaybackError: Error, Sendable {
    /// The closed set of causes a caller can act on.
    package enum Code: String, Sendable, CaseIterable {
        /// There is no such stream or fragment.
        case notFound
        /// It was there, and was deleted or has expired.
        case gone
        /// What is stored does not match its checksum, or cannot be read as what it should be.
        case damaged
        /// It is stored as it was sent, and this form of output cannot carry it.
        case unsupported
        /// The disk failed.
        case ioError
        /// The reader was cancelled, or the server is shutting down.
        case cancelled
    }

    /// What kind of failure it is.
    package let code: Code

    /// What was attempted, on what, what was found and what to do about it.
    package let message: String

    /// The error below, if there is one.
    package let cause: (any Error)?

    /// Whether it is the whole stream that cannot be read any more: deleted, or the server stops.
    let isStreamClosed: Bool

    /// An error from its parts.
    package init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.init(code, message, cause: cause, isStreamClosed: false)
    }

    private init(_ code: Code, _ message: String, cause: (any Error)?, isStreamClosed: Bool) {
        self.code = code
        self.message = message
        self.cause = cause
        self.isStreamClosed = isStreamClosed
    }
}

extension PlaybackError {
    /// What an error of the log means to a reader; the log's message already says what and where.
    package init(_ error: LogError) {
        let code: Code =
            switch error.code {
            case .streamNotFound: .notFound
            case .streamDeleted, .gone: .gone
            case .damaged: .damaged
            case .shuttingDown: .cancelled
            case .streamExists, .streamHeld, .invalidArgument, .takenOver, .contention,
                .tooManySessions, .memory, .diskFull, .ioError, .volumeMissing, .newerVersion,
                .locked, .recordingOff, .noRetention:
                .ioError
            }
        self.init(
            code,
            error.message,
            cause: error.cause,
            isStreamClosed: error.code == .streamDeleted || error.code == .shuttingDown
        )
    }

    /// Stored bytes that match their checksum and still cannot be read.
    ///
    /// - Parameters:
    ///   - error: What the Matroska reader says.
    ///   - subject: Which bytes, as in "The header of fragment 91…".
    package init(_ error: MatroskaError, reading subject: String) {
        self.init(
            .damaged,
            "\(subject) cannot be read: \(error.message) Run 'kinelog verify --repair'.",
            cause: error
        )
    }

    /// Whether footage went away while it was wanted, rather than the reader or the disk.
    var isLoss: Bool { code == .gone || (isStreamClosed && !Task.isCancelled) }

    /// The caller's task was cancelled.
    static let cancelled = PlaybackError(.cancelled, "Reading was cancelled by its caller.")
}

extension PlaybackError: CustomStringConvertible {
    package var description: String {
        guard let cause else { return message }
        return "\(message) (\(cause))"
    }
}

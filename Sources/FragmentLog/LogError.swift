/// What the log could not do.
package struct LogError: Error, Sendable {
    /// The closed set of causes a caller can act on.
    package enum Code: String, Sendable, CaseIterable {
        case streamNotFound
        case streamExists
        case streamDeleted
        case streamHeld
        case invalidArgument
        case takenOver
        case contention
        case tooManySessions
        case memory
        case diskFull
        case ioError
        case damaged
        case volumeMissing
        case newerVersion
        case locked
        case gone
        case recordingOff
        case shuttingDown
        case noRetention
    }

    /// What kind of failure it is.
    package let code: Code

    /// What was attempted, on what, what was found and what to do about it.
    package let message: String

    /// The error below, if there is one.
    package let cause: (any Error)?

    /// When trying again may help, in milliseconds from now; `nil` where that is not known.
    package let retryAfterMilliseconds: Int64?

    /// An error from its parts.
    package init(
        _ code: Code,
        _ message: String,
        cause: (any Error)? = nil,
        retryAfterMilliseconds: Int64? = nil
    ) {
        self.code = code
        self.message = message
        self.cause = cause
        self.retryAfterMilliseconds = retryAfterMilliseconds
    }
}

extension LogError: CustomStringConvertible {
    package var description: String {
        guard let cause else { return message }
        return "\(message) (\(cause))"
    }
}

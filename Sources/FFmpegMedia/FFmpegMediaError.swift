/// Why media could not be read.
package struct FFmpegMediaError: Error, CustomStringConvertible {
    /// The kinds of failure a caller may tell apart.
    package enum Code: Sendable, CaseIterable {
        /// The bytes are not of the container they were said to be, or not of a supported one.
        case unknownContainer
        /// The container is damaged in a way the demuxer does not get past.
        case malformed
        /// Something is larger or more than a limit allows.
        case limit
        /// The pipe was aborted or its other end is gone.
        case aborted
        /// A call to libav* failed for a reason that is not the input's.
        case library
    }

    /// What kind of failure it is.
    package let code: Code

    /// What was attempted, on what, what was found at which byte, and what to do.
    package let message: String

    /// The error that led to this one, such as the reason given when the pipe was aborted.
    package let cause: (any Error)?

    /// An error from its parts.
    package init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    /// The message.
    package var description: String { message }
}

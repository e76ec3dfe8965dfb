/// What an ingest session could not do.
package struct IngestError: Error, Sendable {
    /// The closed set of causes that the HTTP layer maps to statuses.
    package enum Code: String, Sendable, CaseIterable {
        /// The first bytes are of no container that is understood.
        case unknownContainer
        /// The media has no timestamps to order it by.
        case noTimestamps
        /// The body ended before its first byte.
        case emptyBody
        /// The container holds nothing that can be read as media, or goes on behind its media with
        /// what cannot be read.
        case garbage
        /// The media ends in the middle; whole fragments before the break are kept.
        case truncated
        /// The producer was lost in mid-transfer.
        case disconnected
        /// More tracks than allowed.
        case tooManyTracks
        /// One sample, or one fragment, is larger than a fragment may be.
        case fragmentTooLarge
        /// More bytes before the first Cluster than allowed.
        case mediaHeaderTooLarge
        /// No byte arrived for the idle limit.
        case idle
        /// A newer session took the stream over.
        case takenOver
        /// Too many sessions fight for the stream; come back later.
        case contention
        /// The server has as many sessions as it carries.
        case tooManySessions
        /// The open-fragment memory is used up.
        case memory
        /// The disk is full; nothing was acknowledged that is not stored.
        case diskFull
        /// A write or sync failed; the fragment is not acknowledged.
        case ioError
        /// The stream was deleted, or does not exist.
        case streamDeleted
        /// Recording is switched off for the stream.
        case recordingOff
        /// The server is shutting down.
        case shuttingDown
        /// A header or parameter of the request is missing or malformed.
        case invalidArgument
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

extension IngestError: CustomStringConvertible {
    package var description: String {
        guard let cause else { return message }
        return "\(message) (\(cause))"
    }
}

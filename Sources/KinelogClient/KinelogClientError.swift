/// Why a request to a server did not do what was asked.
public struct KinelogClientError: Error, Sendable {
    /// The closed set of causes a caller can act on.
    public enum Code: String, Sendable, CaseIterable {
        /// What was asked for is malformed; nothing was sent, or the server refused it (400).
        case badArgument
        /// No connection to the server came about.
        case unreachable
        /// The server did not answer in time.
        case timedOut
        /// The connection ended in the middle of a request or an answer.
        case connectionLost
        /// The server knows no such stream or fragment (404).
        case notFound
        /// The state of the stream forbids it (409).
        case conflict
        /// The server does not let this client do it (401, 403, 421).
        case refused
        /// The container or codec is none that the server takes (415, 422).
        case unsupportedMedia
        /// A limit of the server was reached (413, 429).
        case limit
        /// What was asked for has been deleted or has expired (410).
        case gone
        /// The server's disk is full (507); what it holds can still be read.
        case diskFull
        /// The server cannot do it now (503).
        case unavailable
        /// The server failed (another 5xx).
        case serverFailure
        /// The answer is not one that a Kinelog server gives.
        case unexpectedAnswer
        /// The bytes to be sent could not be read.
        case sourceFailed
        /// The calling task was cancelled.
        case cancelled
    }

    /// What kind of failure it is.
    public let code: Code

    /// What was attempted, on what, what was found and what to do about it.
    public internal(set) var message: String

    /// The HTTP status, where there was an answer.
    public let status: Int?

    /// The server's own name for the error (`error.code` of its answer).
    public let serverCode: String?

    /// The server's name for the request, by which its log can be searched.
    public let requestID: String?

    /// The error below, if there is one.
    public let cause: (any Error)?

    /// An error from its parts.
    public init(
        _ code: Code,
        _ message: String,
        status: Int? = nil,
        serverCode: String? = nil,
        requestID: String? = nil,
        cause: (any Error)? = nil
    ) {
        self.code = code
        self.message = message
        self.status = status
        self.serverCode = serverCode
        self.requestID = requestID
        self.cause = cause
    }
}

extension KinelogClientError: CustomStringConvertible {
    /// The message; of a failure of the server, with its name for the request.
    public var description: String {
        guard let requestID, let status, status >= 500 else { return message }
        return "\(message) (request \(requestID))"
    }
}

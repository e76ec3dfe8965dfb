package import HTTPTypes
import Logging

/// Why a request was not fulfilled, before it takes the form of one of the two APIs.
package struct APIError: Error, Sendable {
    /// What went wrong; part of the interface, see ``Code``.
    package let code: Code

    /// What was attempted, on what, what was found and what to do about it.
    package let message: String

    /// For how many seconds the client should wait; `nil` says nothing about it.
    package let retryAfterSeconds: Int?

    /// The methods that the resource knows, for ``Code/methodNotAllowed``.
    package let allowedMethods: [HTTPRequest.Method]

    /// The error below, for the log; never sent.
    package let cause: (any Error)?

    /// An error from its parts.
    package init(
        _ code: Code,
        _ message: String,
        retryAfterSeconds: Int? = nil,
        allowedMethods: [HTTPRequest.Method] = [],
        cause: (any Error)? = nil
    ) {
        self.code = code
        self.message = message
        self.retryAfterSeconds = retryAfterSeconds ?? code.retryAfterSeconds
        self.allowedMethods = allowedMethods
        self.cause = cause
    }
}

extension APIError {
    /// The stable names of errors in native answers; each has one status.
    package enum Code: String, Sendable, CaseIterable {
        case invalidArgument
        case invalidJSON
        case tooManyTags
        case emptyBody
        case methodNotAllowed
        case requestTimeout
        case bodyTooLarge
        case misdirected
        case crossOrigin
        case routeNotFound
        case streamNotFound
        case streamDeleted
        case streamExists
        case streamHeld
        case versionMismatch
        case fragmentNotFound
        case gone
        case recordingOff
        case noRetention
        case takenOver
        case contention
        case tooManySessions
        case memory
        case busy
        case shuttingDown
        case diskFull
        case ioError
        case damaged
        case volumeMissing
        case unsupportedMedia
        case unknownContainer
        case garbage
        case noTimestamps
        case truncated
        case tooManyTracks
        case fragmentTooLarge
        case mediaHeaderTooLarge
        case disconnected
        case internalError
    }
}

extension APIError.Code {
    /// The HTTP status of native answers.
    package var status: HTTPResponse.Status {
        switch self {
        case .invalidArgument, .invalidJSON, .emptyBody, .tooManyTags, .disconnected: .badRequest
        case .crossOrigin: .forbidden
        case .routeNotFound, .streamNotFound, .streamDeleted, .fragmentNotFound: .notFound
        case .methodNotAllowed: .methodNotAllowed
        case .requestTimeout: .requestTimeout
        case .streamExists, .streamHeld, .versionMismatch, .takenOver, .recordingOff, .noRetention:
            .conflict
        case .gone: .gone
        case .bodyTooLarge, .fragmentTooLarge, .mediaHeaderTooLarge: .contentTooLarge
        case .unknownContainer: .unsupportedMediaType
        case .misdirected: .misdirectedRequest
        case .unsupportedMedia, .garbage, .noTimestamps, .truncated, .tooManyTracks:
            .unprocessableContent
        case .ioError, .damaged, .internalError: .internalServerError
        case .contention, .tooManySessions, .memory, .busy, .shuttingDown, .volumeMissing:
            .serviceUnavailable
        case .diskFull: HTTPResponse.Status(code: 507, reasonPhrase: "Insufficient Storage")
        }
    }

    /// How long a client should wait before it tries again, where trying again helps.
    var retryAfterSeconds: Int? {
        switch self {
        case .contention: 60
        case .tooManySessions, .memory, .busy: 10
        case .shuttingDown, .volumeMissing: 5
        case .diskFull: 30
        default: nil
        }
    }

    /// The exception that Kinesis Video Streams clients know, with its status (KVS 1.3).
    package var exception: (name: String, status: HTTPResponse.Status) {
        switch self {
        case .invalidArgument, .emptyBody, .gone, .unknownContainer, .garbage, .noTimestamps,
            .truncated, .tooManyTracks, .fragmentTooLarge, .mediaHeaderTooLarge, .disconnected,
            .unsupportedMedia, .requestTimeout, .bodyTooLarge:
            ("InvalidArgumentException", .badRequest)
        case .invalidJSON: ("SerializationException", .badRequest)
        case .tooManyTags: ("TagsPerResourceExceededLimitException", .badRequest)
        case .methodNotAllowed, .routeNotFound:
            ("UnknownOperationException", .notFound)
        case .misdirected: ("InvalidEndpointException", .misdirectedRequest)
        case .crossOrigin: ("AccessDeniedException", .forbidden)
        case .streamNotFound, .streamDeleted, .fragmentNotFound:
            ("ResourceNotFoundException", .notFound)
        case .streamExists, .streamHeld, .recordingOff, .takenOver:
            ("ResourceInUseException", .badRequest)
        case .versionMismatch: ("VersionMismatchException", .badRequest)
        case .noRetention: ("NoDataRetentionException", .badRequest)
        case .contention, .tooManySessions: ("ConnectionLimitExceededException", .badRequest)
        case .memory, .busy, .shuttingDown, .volumeMissing, .diskFull:
            ("ServiceUnavailableException", .serviceUnavailable)
        case .ioError, .damaged, .internalError: ("InternalFailure", .internalServerError)
        }
    }
}

extension APIError.Code {
    /// How an answer is logged that ends with it although it had begun; `nil` where that is the
    /// ordinary end of a reader's luck: it has left, what it read was deleted, or the server stops.
    var lossLevel: Logger.Level? {
        switch self {
        case .ioError, .damaged, .volumeMissing: .error
        case .unsupportedMedia: .warning
        default: nil
        }
    }
}

extension APIError: CustomStringConvertible {
    package var description: String {
        guard let cause else { return "\(code.rawValue): \(message)" }
        return "\(code.rawValue): \(message) (\(cause))"
    }
}

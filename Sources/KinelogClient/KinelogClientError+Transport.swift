import AsyncHTTPClient
import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix

extension KinelogClientError {
    /// The error for a request that met no answer, or lost it.
    static func transport(
        _ error: any Error,
        _ attempt: String,
        _ server: ServerAddress
    ) -> KinelogClientError {
        if let error = error as? KinelogClientError { return error }
        if error is CancellationError {
            return KinelogClientError(.cancelled, "Stopped before it could \(attempt).")
        }
        guard let known = error as? HTTPClientError else {
            if let error = foreign(error, attempt, server) { return error }
            return KinelogClientError(
                .unreachable,
                "Could not \(attempt): no connection to \(server) (\(reason(for: error))). Start the server with 'kinelog serve', or name it with --server or \(ServerAddress.variable).",
                cause: error
            )
        }
        switch known {
        case .cancelled:
            return KinelogClientError(.cancelled, "Stopped before it could \(attempt).")
        case .connectTimeout, .tlsHandshakeTimeout, .getConnectionFromPoolTimeout:
            return KinelogClientError(
                .unreachable,
                "Could not \(attempt): \(server) did not accept a connection in time. Check the address, and that the server runs.",
                cause: error
            )
        case .readTimeout, .deadlineExceeded, .writeTimeout:
            return KinelogClientError(
                .timedOut,
                "Could not \(attempt): \(server) fell silent. Look at its log, then try again.",
                cause: error
            )
        case .remoteConnectionClosed, .uncleanShutdown, .requestStreamCancelled:
            return KinelogClientError(
                .connectionLost,
                "Could not \(attempt): \(server) ended the connection. Look at its log, then try again.",
                cause: error
            )
        default:
            return KinelogClientError(
                .unexpectedAnswer,
                "Could not \(attempt): \(known.shortDescription) (server \(server)).",
                cause: error
            )
        }
    }

    /// The error for what is no failure to connect; `nil` where it may be one.
    private static func foreign(
        _ error: any Error,
        _ attempt: String,
        _ server: ServerAddress
    ) -> KinelogClientError? {
        switch error {
        case is NIOConnectionError: return nil
        case let error as IOError where ![EPIPE, ECONNRESET, ENOTCONN].contains(error.errnoCode):
            return nil
        case is IOError, is ChannelError:
            return KinelogClientError(
                .connectionLost,
                "Could not \(attempt): \(server) ended the connection. Look at its log, then try again.",
                cause: error
            )
        case is HTTPParserError, is DecodingError:
            return KinelogClientError(
                .unexpectedAnswer,
                "Could not \(attempt): the answer of \(server) is not what a Kinelog server gives (\(error)).",
                cause: error
            )
        default:
            // Whoever gives the bytes of a push has errors of its own.
            return KinelogClientError(
                .sourceFailed,
                "Could not \(attempt): \(error)",
                cause: error
            )
        }
    }

    /// What the operating system says of a failed connection.
    private static func reason(for error: any Error) -> String {
        if let error = error as? NIOConnectionError {
            if let first = error.connectionErrors.first { return reason(for: first.error) }
            return "the host '\(error.host)' is not known"
        }
        guard let error = error as? IOError else { return "\(error)" }
        return unsafe String(cString: strerror(error.errnoCode))
    }

    /// How much of a refusal is read.
    private static let refusalBytesMax = 64 * 1024

    /// The error that a server answered with.
    static func answer(
        _ response: HTTPClientResponse,
        _ attempt: String,
        _ server: ServerAddress
    ) async -> KinelogClientError {
        let status = Int(response.status.code)
        let body = (try? await response.body.collect(upTo: refusalBytesMax)) ?? ByteBuffer()
        guard let refusal = try? JSONText.read(Refusal.self, body) else {
            return KinelogClientError(
                code(forStatus: status),
                "Could not \(attempt): \(server) answered \(status) without saying why. Is it a Kinelog server?",
                status: status
            )
        }
        return error(refusal.error, status: status, attempt)
    }

    /// The error that a server states in its JSON form.
    static func error(_ stated: Refusal.Fields, status: Int?, _ attempt: String) -> Self {
        KinelogClientError(
            status.map(code(forStatus:)) ?? code(forServerCode: stated.code),
            "Could not \(attempt): \(stated.message)",
            status: status,
            serverCode: stated.code,
            requestID: stated.requestId
        )
    }

    /// What an error means that came inside an answer, after its status was sent.
    private static func code(forServerCode name: String) -> Code {
        switch name {
        case "unknownContainer", "garbage", "noTimestamps", "truncated", "tooManyTracks",
            "unsupportedMedia":
            .unsupportedMedia
        case "emptyBody", "invalidArgument": .badArgument
        case "fragmentTooLarge", "mediaHeaderTooLarge": .limit
        case "takenOver", "recordingOff": .conflict
        case "streamDeleted": .notFound
        case "requestTimeout": .timedOut
        case "disconnected": .connectionLost
        case "diskFull": .diskFull
        case "contention", "memory", "tooManySessions", "shuttingDown", "volumeMissing":
            .unavailable
        default: .serverFailure
        }
    }

    private static func code(forStatus status: Int) -> Code {
        switch status {
        case 400: .badArgument
        case 401, 403, 421: .refused
        case 404: .notFound
        case 408: .timedOut
        case 409: .conflict
        case 410: .gone
        case 413, 429: .limit
        case 415, 422: .unsupportedMedia
        case 503: .unavailable
        case 507: .diskFull
        case 500...599: .serverFailure
        default: .unexpectedAnswer
        }
    }
}

/// A server's refusal: `{"error":{"code","message","requestId"}}`.
struct Refusal: Decodable {
    /// What the refusal says.
    struct Fields: Decodable {
        var code: String
        var message: String
        var requestId: String?
    }

    var error: Fields
}

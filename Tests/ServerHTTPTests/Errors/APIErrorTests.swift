import FragmentLog
import HTTPTypes
import Ingest
import NIOCore
import Playback
import Testing

@testable import ServerHTTP

struct APIErrorTests {
    /// Name, status, KVS exception and its status: all of them are part of the interface.
    private static let table: [(APIError.Code, Int, String, Int)] = [
        (.invalidArgument, 400, "InvalidArgumentException", 400),
        (.invalidJSON, 400, "SerializationException", 400),
        (.tooManyTags, 400, "TagsPerResourceExceededLimitException", 400),
        (.emptyBody, 400, "InvalidArgumentException", 400),
        (.methodNotAllowed, 405, "UnknownOperationException", 404),
        (.requestTimeout, 408, "InvalidArgumentException", 400),
        (.bodyTooLarge, 413, "InvalidArgumentException", 400),
        (.misdirected, 421, "InvalidEndpointException", 421),
        (.crossOrigin, 403, "AccessDeniedException", 403),
        (.routeNotFound, 404, "UnknownOperationException", 404),
        (.streamNotFound, 404, "ResourceNotFoundException", 404),
        (.streamDeleted, 404, "ResourceNotFoundException", 404),
        (.streamExists, 409, "ResourceInUseException", 400),
        (.streamHeld, 409, "ResourceInUseException", 400),
        (.versionMismatch, 409, "VersionMismatchException", 400),
        (.fragmentNotFound, 404, "ResourceNotFoundException", 404),
        (.gone, 410, "InvalidArgumentException", 400),
        (.recordingOff, 409, "ResourceInUseException", 400),
        (.noRetention, 409, "NoDataRetentionException", 400),
        (.takenOver, 409, "ResourceInUseException", 400),
        (.contention, 503, "ConnectionLimitExceededException", 400),
        (.tooManySessions, 503, "ConnectionLimitExceededException", 400),
        (.memory, 503, "ServiceUnavailableException", 503),
        (.busy, 503, "ServiceUnavailableException", 503),
        (.shuttingDown, 503, "ServiceUnavailableException", 503),
        (.diskFull, 507, "ServiceUnavailableException", 503),
        (.ioError, 500, "InternalFailure", 500),
        (.damaged, 500, "InternalFailure", 500),
        (.volumeMissing, 503, "ServiceUnavailableException", 503),
        (.unsupportedMedia, 422, "InvalidArgumentException", 400),
        (.unknownContainer, 415, "InvalidArgumentException", 400),
        (.garbage, 422, "InvalidArgumentException", 400),
        (.noTimestamps, 422, "InvalidArgumentException", 400),
        (.truncated, 422, "InvalidArgumentException", 400),
        (.tooManyTracks, 422, "InvalidArgumentException", 400),
        (.fragmentTooLarge, 413, "InvalidArgumentException", 400),
        (.mediaHeaderTooLarge, 413, "InvalidArgumentException", 400),
        (.disconnected, 400, "InvalidArgumentException", 400),
        (.internalError, 500, "InternalFailure", 500),
    ]

    @Test func `every error has its pinned status and exception`() {
        #expect(Self.table.map(\.0) == APIError.Code.allCases)
        for (code, status, exception, kvsStatus) in Self.table {
            #expect(code.status.code == status, "\(code)")
            #expect(code.exception.name == exception, "\(code)")
            #expect(code.exception.status.code == kvsStatus, "\(code)")
        }
    }

    @Test func `what passes by itself says when to come back`() {
        let waiting = APIError.Code.allCases.filter { $0.retryAfterSeconds != nil }
        #expect(waiting.allSatisfy { [503, 507].contains($0.status.code) })
        let unavailable = APIError.Code.allCases.filter { $0.status.code == 503 }
        #expect(unavailable.allSatisfy { $0.retryAfterSeconds != nil })
    }

    @Test func `a contention says when it is over, in whole seconds`() {
        for (milliseconds, seconds) in [(1, 1), (1000, 1), (1001, 2), (59_999, 60)] {
            let error = LogError(
                .contention,
                "",
                retryAfterMilliseconds: Int64(milliseconds)
            )
            #expect(APIError(error).retryAfterSeconds == seconds)
            #expect(APIError(IngestError(error)).retryAfterSeconds == seconds)
        }
        #expect(APIError(LogError(.contention, "")).retryAfterSeconds == 60)
    }

    @Test(arguments: LogError.Code.allCases)
    func `an error of the log keeps its name`(_ code: LogError.Code) {
        let error = APIError(LogError(code, "what happened"))
        // The two that can only happen before there is a server.
        let isForeign = [.newerVersion, .locked].contains(code)
        #expect(error.code.rawValue == (isForeign ? "internalError" : code.rawValue))
        #expect(error.message == "what happened")
    }

    @Test(arguments: IngestError.Code.allCases)
    func `an error of a push keeps its name`(_ code: IngestError.Code) {
        let error = APIError(IngestError(code, "what happened"))
        #expect(error.code.rawValue == (code == .idle ? "requestTimeout" : code.rawValue))
    }

    @Test(arguments: [
        (PlaybackError.Code.notFound, APIError.Code.fragmentNotFound), (.gone, .gone),
        (.damaged, .damaged), (.unsupported, .unsupportedMedia), (.ioError, .ioError),
        (.cancelled, .shuttingDown),
    ])
    func `an error of playback has its answer`(_ code: PlaybackError.Code, _ answer: APIError.Code)
    {
        #expect(APIError(PlaybackError(code, "what happened")).code == answer)
    }

    @Test func `an error of no layer of ours tells clients nothing of the inside`() {
        struct Secret: Error {}
        let error = APIError(any: Secret())
        #expect(error.code == .internalError)
        #expect(!error.message.contains("Secret"))
    }

    @Test func `both forms are written as documented`() throws {
        let error = APIError(.contention, "Two \"fight\".")
        let native = ErrorAnswer.native(error, id: "abc")
        #expect(
            text(native)
                == #"{"error":{"code":"contention","message":"Two \"fight\".","requestId":"abc"}}"#
        )
        #expect(native.headers[.retryAfter] == "60")
        let kvs = ErrorAnswer.kvs(APIError(.streamNotFound, "Gone."))
        #expect(text(kvs) == #"{"__type":"ResourceNotFoundException","Message":"Gone."}"#)
        #expect(kvs.headers[.errorType] == "ResourceNotFoundException")
    }

    private func text(_ answer: Answer) -> String {
        guard case .bytes(let bytes) = answer.body else { return "" }
        return String(buffer: bytes)
    }
}

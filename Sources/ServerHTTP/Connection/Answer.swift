import HTTPTypes
import NIOCore

/// What a handler gives back.
struct Answer: Sendable {
    enum Body: Sendable {
        case none
        /// All of it; gets a Content-Length.
        case bytes(ByteBuffer)
        /// Made while it is sent; goes out in chunks. An error ends the connection without the last
        /// chunk, so that the reader knows that something is missing.
        case stream(Stream)
    }

    struct Stream: Sendable {
        /// Whether it would go on for ever: then it ends at once when the reader closes its side,
        /// and in order when the server stops.
        var isEndless = false
        /// Writes it; returns at the orderly end.
        ///
        /// When it is cancelled it brings what it has begun to an end and throws
        /// `PlaybackError.cancelled`.
        var produce: @Sendable (PacedWriter) async throws -> Void
    }

    var status: HTTPResponse.Status
    var headers: HTTPFields
    var body: Body
    /// Whether the connection must not be used again.
    var closesConnection = false

    /// An answer without a body.
    init(_ status: HTTPResponse.Status, headers: HTTPFields = [:]) {
        self.status = status
        self.headers = headers
        body = .none
    }

    /// A JSON answer.
    init(_ status: HTTPResponse.Status = .ok, json: JSONValue, headers: HTTPFields = [:]) {
        self.status = status
        self.headers = headers
        self.headers[.contentType] = "application/json"
        body = .bytes(json.bytes)
    }

    /// An answer that is made while it is sent.
    init(contentType: String, stream: Stream) {
        status = .ok
        headers = [.contentType: contentType]
        body = .stream(stream)
    }
}

/// How far a request is handled without its body.
enum Step: Sendable {
    /// The body is not needed.
    case answer(Answer)
    /// The head is in order and the body is wanted: `100 Continue` may be sent. Pauses between that
    /// and the answer where `pauses` says so.
    case body(pauses: Bool = false, @Sendable () async throws -> Answer)
}

extension HTTPField.Name {
    /// A name that is known to be one.
    static func known(_ text: String) -> HTTPField.Name {
        guard let name = HTTPField.Name(text) else {
            preconditionFailure("\(text) is no header name")
        }
        return name
    }

    /// The request's identity, as in the log; KVS clients compare the spelling (KVS 1.1).
    static let requestID = known("x-amzn-RequestId")
    static let errorType = known("x-amzn-ErrorType")
    static let fetchSite = known("Sec-Fetch-Site")
    static let contentTypeOptions = known("X-Content-Type-Options")
}

import AsyncHTTPClient
public import NIOCore
import NIOHTTP1

/// Footage on its way from the server, in pieces as they arrive.
///
/// It can be gone through once. Bytes that are not asked for are not sent: a slow reader slows the
/// server down, and nothing else.
public struct MediaDownload: AsyncSequence, Sendable {
    /// How many bytes there will be, when the server knows.
    public let length: Int64?

    /// The media type that the server states.
    public let contentType: String?

    private let body: HTTPClientResponse.Body
    private let attempt: String
    private let server: ServerAddress

    init(_ response: HTTPClientResponse, _ attempt: String, _ server: ServerAddress) {
        length = response.headers.first(name: "Content-Length").flatMap { Int64($0) }
        contentType = response.headers.first(name: "Content-Type")
        body = response.body
        self.attempt = attempt
        self.server = server
    }

    /// Begins to take the bytes.
    public func makeAsyncIterator() -> Iterator {
        Iterator(body: body.makeAsyncIterator(), attempt: attempt, server: server)
    }

    /// Takes one piece after another.
    public struct Iterator: AsyncIteratorProtocol {
        var body: HTTPClientResponse.Body.AsyncIterator
        let attempt: String
        let server: ServerAddress

        /// The next piece; `nil` at the end of the footage.
        ///
        /// - Throws: ``KinelogClientError`` when the connection ends before the footage does.
        public mutating func next() async throws -> ByteBuffer? {
            do {
                return try await body.next()
            } catch {
                throw KinelogClientError.transport(error, attempt, server)
            }
        }
    }
}

import AsyncHTTPClient
import NIOCore
import NIOHTTP1

/// Talks to a Kinelog server over its native HTTP API.
///
/// Media is streamed in both directions: no call holds a whole body, and a slow end slows the other.
/// Calls may run at the same time. A client holds connections open, so end it with ``shutdown()``,
/// or use ``with(_:timeouts:_:)``.
///
/// ```swift
/// try await KinelogClient.with(try .fromEnvironment()) { client in
///     for try await fragment in client.fragments(of: "dock-3", in: TimeRange(from: .earliest)) {
///         print(fragment.producerTimestamp, fragment.sizeBytes)
///     }
/// }
/// ```
public final class KinelogClient: Sendable {
    /// The server that is asked.
    public let server: ServerAddress

    /// How long it is waited for.
    public let timeouts: ClientTimeouts

    /// For requests whose answer keeps coming once it has begun.
    private let prompt: HTTPClient

    /// For requests whose answer may be silent for any length of time.
    private let patient: HTTPClient

    /// A client without a connection yet.
    public init(
        server: ServerAddress = .standard,
        timeouts: ClientTimeouts = ClientTimeouts()
    ) {
        self.server = server
        self.timeouts = timeouts
        var configuration = HTTPClient.Configuration()
        // A redirect would send media to an address that nobody chose.
        configuration.redirectConfiguration = .disallow
        configuration.timeout.connect = .milliseconds(timeouts.connectMilliseconds)
        // Otherwise a refused connection is tried again until the time for it is over, and whoever
        // forgot to start the server learns that after ten seconds.
        configuration.connectionPool.retryConnectionEstablishment = false
        patient = HTTPClient(configuration: configuration)
        configuration.timeout.read = .milliseconds(timeouts.silenceMilliseconds)
        prompt = HTTPClient(configuration: configuration)
    }

    /// Closes the connections; calls still running fail.
    public func shutdown() async {
        // The only failure is a second shutdown, after which there is nothing left to close.
        try? await prompt.shutdown()
        try? await patient.shutdown()
    }

    /// Runs a body with a client and shuts it down behind it.
    ///
    /// - Throws: What `body` throws.
    public static func with<Value: Sendable>(
        _ server: ServerAddress,
        timeouts: ClientTimeouts = ClientTimeouts(),
        _ body: @Sendable (KinelogClient) async throws -> Value
    ) async throws -> Value {
        let client = KinelogClient(server: server, timeouts: timeouts)
        do {
            let value = try await body(client)
            await client.shutdown()
            return value
        } catch {
            await client.shutdown()
            throw error
        }
    }

    /// How a request is waited for.
    enum Patience {
        /// The whole answer within ``ClientTimeouts/answerMilliseconds``.
        case answer
        /// Bytes of the answer at least every ``ClientTimeouts/silenceMilliseconds``.
        case steady
        /// As long as it takes.
        case endless
    }

    /// Sends a request and gives the answer's head, once it is a success.
    ///
    /// - Parameters:
    ///   - request: The request, its path resolved.
    ///   - attempt: What is being attempted, in words that follow "Could not".
    ///   - patience: How long to wait.
    /// - Returns: The head; the body has yet to be gone through.
    /// - Throws: ``KinelogClientError`` when there is no answer or it is a refusal.
    func send(
        _ request: HTTPClientRequest,
        _ attempt: String,
        _ patience: Patience
    ) async throws(KinelogClientError) -> HTTPClientResponse {
        let response: HTTPClientResponse
        do {
            switch patience {
            case .answer:
                response = try await prompt.execute(request, deadline: deadline)
            case .steady:
                response = try await prompt.execute(request, deadline: .distantFuture)
            case .endless:
                response = try await patient.execute(request, deadline: .distantFuture)
            }
        } catch {
            throw .transport(error, attempt, server)
        }
        guard (200..<300).contains(response.status.code) else {
            throw await .answer(response, attempt, server)
        }
        return response
    }

    private var deadline: NIODeadline { .now() + .milliseconds(timeouts.answerMilliseconds) }
}

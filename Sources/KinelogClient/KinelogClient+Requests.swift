import AsyncHTTPClient
import NIOCore
import NIOHTTP1

extension KinelogClient {
    /// The most bytes of a short answer: a page of 1 000 fragments with tags stays well below.
    private static let answerBytesMax = 64 * 1024 * 1024

    /// A request to this server.
    func request(_ method: HTTPMethod, _ target: RequestTarget) -> HTTPClientRequest {
        var request = HTTPClientRequest(url: server.text + target.text)
        request.method = method
        request.headers.add(name: "User-Agent", value: "kinelog")
        return request
    }

    /// Sends a request with a short answer and reads it as `type`.
    ///
    /// Sends `body` as JSON, where there is one. Throws when there is no such answer.
    func ask<Answer: Decodable>(
        _ type: Answer.Type,
        _ method: HTTPMethod = .GET,
        _ target: RequestTarget,
        body: (any Encodable & Sendable)? = nil,
        _ attempt: String,
        _ patience: Patience = .answer
    ) async throws(KinelogClientError) -> Answer {
        let bytes = try await exchange(method, target, body: body, attempt, patience)
        do {
            return try JSONText.read(type, bytes)
        } catch {
            throw KinelogClientError(
                .unexpectedAnswer,
                "Could not \(attempt): the answer of \(server) is not what a Kinelog server of this version gives (\(error)).",
                cause: error
            )
        }
    }

    /// Sends a request with a short answer and gives its bytes.
    ///
    /// Throws when there is no answer or it is a refusal.
    @discardableResult
    func exchange(
        _ method: HTTPMethod,
        _ target: RequestTarget,
        body: (any Encodable & Sendable)? = nil,
        _ attempt: String,
        _ patience: Patience = .answer
    ) async throws(KinelogClientError) -> ByteBuffer {
        var request = request(method, target)
        do {
            if let body {
                request.headers.add(name: "Content-Type", value: "application/json")
                request.body = .bytes(try JSONText.write(body))
            }
        } catch {
            throw KinelogClientError(.badArgument, "Could not \(attempt): \(error)", cause: error)
        }
        let response = try await send(request, attempt, patience)
        do {
            return try await response.body.collect(upTo: Self.answerBytesMax)
        } catch {
            throw .transport(error, attempt, server)
        }
    }
}

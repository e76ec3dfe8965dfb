import FoundationEssentials
import FragmentLog
import HTTPTypes
import HummingbirdCore
import Logging
import NIOCore

/// Takes one request from its head to the last byte of its answer.
struct HTTPResponder: Sendable {
    let server: ServerState

    /// The connection is not used again; caught by nobody, it makes the server library close it.
    struct ConnectionEnded: Error {}

    /// Answers a request.
    ///
    /// - Throws: ``ConnectionEnded`` when the connection must not be used again.
    func respond(
        to request: Request,
        writer: consuming ResponseWriter,
        channel: any Channel
    ) async throws {
        let id = UUID().uuidString.lowercased()
        do {
            let connection = try await Connection.requestBegan(on: channel)
            let exchange = Exchange(request, on: connection, server: server, id: id)
            var (answer, error) = await handle(exchange) { pauses in
                try await writer.writeInformationalHead(HTTPResponse(status: .continue))
                if pauses {
                    try await Task.sleep(
                        nanoseconds: UInt64(
                            clamping: server.configuration.continuePause.nanoseconds
                        )
                    )
                }
            }
            log(exchange, answer, error)
            complete(&answer, exchange)
            try await write(answer, exchange, writer)
            if !answer.closesConnection, try await connection.requestEnded() { return }
            await part(exchange)
        } catch {
            server.logger.debug(
                "connection ended",
                metadata: ["request.id": "\(id)", "error": "\(error)"]
            )
        }
        throw ConnectionEnded()
    }

    // MARK: Deciding

    private func handle(
        _ exchange: Exchange,
        sendContinue: (_ pauses: Bool) async throws -> Void
    ) async -> (Answer, APIError?) {
        do {
            try check(exchange)
            let step =
                exchange.isKVS
                ? try await KVSRoutes(exchange).step() : try await NativeRoutes(exchange).step()
            switch step {
            case .answer(let answer): return (answer, nil)
            case .body(let pauses, let run):
                if exchange.head.headerFields[.expect]?.lowercased() == "100-continue" {
                    try await sendContinue(pauses)
                }
                return (try await run(), nil)
            }
        } catch {
            let error = APIError(any: error)
            let answer =
                exchange.isKVS
                ? ErrorAnswer.kvs(error) : ErrorAnswer.native(error, id: exchange.id)
            return (answer, error)
        }
    }

    /// What holds for every request.
    private func check(_ exchange: Exchange) throws(APIError) {
        let head = exchange.head
        guard head.method != .connect else {
            throw APIError(
                .methodNotAllowed,
                "This server is no proxy; send requests for its own paths.",
                allowedMethods: [.get, .head, .post, .put, .delete, .options]
            )
        }
        guard head.headerFields[.known("Host")] == nil else {
            throw APIError(.invalidArgument, "The request has two Host headers; send exactly one.")
        }
        try server.rules.check(
            host: head.authority,
            origins: head.headerFields[values: .origin],
            fetchSites: head.headerFields[values: .fetchSite]
        )
        guard exchange.path.hasPrefix("/") || (exchange.path == "*" && head.method == .options)
        else {
            throw APIError(.invalidArgument, "The request's target does not begin with a slash.")
        }
        guard !exchange.connection.isClosing else {
            throw APIError(.shuttingDown, "The server is shutting down; try again in a moment.")
        }
    }

    private func log(_ exchange: Exchange, _ answer: Answer, _ error: APIError?) {
        let metadata: Logger.Metadata = [
            "method": "\(exchange.head.method)", "path": "\(exchange.path.prefix(400))",
            "status": "\(answer.status.code)", "peer": "\(exchange.connection.peer)",
        ]
        guard let error else {
            exchange.logger.debug("request", metadata: metadata)
            return
        }
        let level: Logger.Level = error.code.status.code >= 500 ? .warning : .info
        exchange.logger.log(
            level: level,
            "request refused",
            metadata: metadata.merging(["error": "\(error)"]) { _, new in new }
        )
    }

    // MARK: Writing

    private func complete(_ answer: inout Answer, _ exchange: Exchange) {
        answer.headers[.requestID] = exchange.id
        answer.headers[.date] = HTTPDate.text(server.log.now)
        answer.headers[.contentTypeOptions] = "nosniff"
        switch answer.body {
        case .none where answer.status != .noContent: answer.headers[.contentLength] = "0"
        case .bytes(let bytes): answer.headers[.contentLength] = String(bytes.readableBytes)
        case .none, .stream: break
        }
        let wantsClose = exchange.head.headerFields[.connection]?.lowercased() == "close"
        // The end of a body without a length cannot be left out of an answer to HEAD.
        if case .stream = answer.body, exchange.head.method == .head {
            answer.closesConnection = true
        }
        if !exchange.body.isAtEnd || exchange.connection.isClosing || wantsClose {
            answer.closesConnection = true
        }
        if answer.closesConnection { answer.headers[.connection] = "close" }
    }

    private func write(
        _ answer: Answer,
        _ exchange: Exchange,
        _ writer: consuming ResponseWriter
    ) async throws {
        let head = HTTPResponse(status: answer.status, headerFields: answer.headers)
        if exchange.head.method == .head {
            try await writer.writeResponse(head)
            return
        }
        switch answer.body {
        case .none: try await writer.writeResponse(head)
        case .bytes(let bytes):
            try await writer.write(response: head, body: ResponseBody(byteBuffer: bytes))
        case .stream(let stream):
            let body = try await writer.writeHead(head)
            let paced = PacedWriter(body, channel: exchange.connection.channel)
            try await StreamedAnswer(stream: stream, exchange: exchange).send(paced)
        }
    }

    // MARK: Parting

    /// Ends a connection so that its peer can still read the answer.
    ///
    /// Says that nothing more comes, takes what the peer still sends, and closes when it does or
    /// after a while. A close with unread bytes would be a reset.
    private func part(_ exchange: Exchange) async {
        let connection = exchange.connection
        try? await connection.channel.close(mode: .output).get()
        let isCut = exchange.body.isCut
        let longest = server.configuration.linger
        let linger = UInt64(clamping: (isCut ? min(longest, .seconds(1)) : longest).nanoseconds)
        await withTaskGroup(of: Void.self) { group in
            group.addTask { try? await Task.sleep(nanoseconds: linger) }
            // Of a connection whose input was closed here, nothing is heard any more.
            if !isCut {
                group.addTask {
                    await exchange.body.drain()
                    await connection.peerIsGone.wait()
                }
            }
            await group.next()
            group.cancelAll()
        }
    }
}

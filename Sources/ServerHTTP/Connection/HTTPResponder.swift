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
            connection.receives(exchange.body)
            // Ends with the body, or with this scope.
            async let _: Void = exchange.body.pump()
            do {
                let answer = try await answer(exchange, writer)
                if try await connection.responseEnded(mayGoOn: !answer.closesConnection) { return }
            } catch {
                log(exchange, ended: error)
                throw ConnectionEnded()
            }
            // The peer may read and send for as long as it makes progress; a close with unread
            // bytes would be a reset that can destroy the response.
            exchange.body.dropRest()
            try await channel.closeFuture.get()
        } catch is ConnectionEnded {
            // Said already.
        } catch {
            server.logger.debug(
                "connection ended",
                metadata: ["request.id": "\(id)", "error": "\(error)"]
            )
        }
        throw ConnectionEnded()
    }

    /// Answers a request and gives what was answered.
    private func answer(
        _ exchange: Exchange,
        _ writer: consuming ResponseWriter
    ) async throws -> Answer {
        var (answer, error) = try await handle(exchange) { pauses in
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
        return answer
    }

    // MARK: Deciding

    private func handle(
        _ exchange: Exchange,
        sendContinue: (_ pauses: Bool) async throws -> Void
    ) async throws -> (Answer, APIError?) {
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
        } catch let error as ConnectionEnded {
            throw error
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
        guard !exchange.connection.isStopping else {
            throw APIError(.shuttingDown, "The server is shutting down; try again in a moment.")
        }
        guard !exchange.connection.isSurplus else {
            throw APIError(
                .busy,
                "All \(server.connections.limit) connections are in use (limited by --max-connections and by file descriptors); close one or raise the limits."
            )
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

    /// Says why an answer that had begun could not be completed, where that is ours to know.
    private func log(_ exchange: Exchange, ended error: any Error) {
        let known = APIError(any: error)
        guard let level = known.code.lossLevel else {
            exchange.logger.debug("connection ended", metadata: ["error": "\(error)"])
            return
        }
        exchange.logger.log(
            level: level,
            "an answer broke off",
            metadata: [
                "method": "\(exchange.head.method)", "path": "\(exchange.path.prefix(400))",
                "peer": "\(exchange.connection.peer)", "error": "\(known)",
            ]
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
        if !exchange.body.isAtEnd || exchange.connection.isStopping
            || exchange.connection.isSurplus || wantsClose
        {
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
}

import FragmentLog
import HTTPTypes
import MediaModel

/// The native API: finds the resource and the handler for a request (DESIGN 7.2).
struct NativeRoutes: Sendable {
    let exchange: Exchange

    init(_ exchange: Exchange) { self.exchange = exchange }

    var server: ServerState { exchange.server }

    /// Handles a request as far as it goes without the body.
    func step() async throws -> Step {
        if exchange.path == "*" { return .answer(Answer(.noContent)) }
        let resource = try Resource(path: exchange.path)
        let method = exchange.head.method == .head ? .get : exchange.head.method
        if method == .options {
            let allowed = resource.allowedMethods.map(\.rawValue).joined(separator: ", ")
            return .answer(Answer(.noContent, headers: [.allow: allowed]))
        }
        guard resource.methods.contains(method) else {
            throw APIError(
                .methodNotAllowed,
                "\(method.rawValue) is not known for '\(exchange.path.prefix(300))'; use \(resource.allowedMethods.map(\.rawValue).joined(separator: ", ")).",
                allowedMethods: resource.allowedMethods
            )
        }
        return try await step(resource, method)
    }

    private func step(_ resource: Resource, _ method: HTTPRequest.Method) async throws -> Step {
        switch resource {
        case .health: return .answer(try health())
        case .ready: return .answer(try await ready())
        case .status: return .answer(try await status())
        case .verify: return try verify()
        case .streams: return method == .post ? try createStream() : .answer(try listStreams())
        case .stream(let name):
            switch method {
            case .patch: return try updateStream(name)
            case .delete: return .answer(try await deleteStream(name))
            default: return .answer(try await describeStream(name))
            }
        case .resumeRetention(let name): return .answer(try await resumeRetention(name))
        case .media(let name):
            return method == .get ? .answer(try await media(name)) : try await push(name)
        case .fragments(let name): return .answer(try await listFragments(name))
        case .fragment(let name, let number): return .answer(try await fragment(name, number))
        case .samples(let name, let number): return .answer(try await samples(name, number))
        case .timeline(let name): return .answer(try await timeline(name))
        }
    }

    // MARK: What handlers share

    /// The request's parameters.
    func query(_ accepted: String...) throws(APIError) -> Query {
        try Query(exchange.query, accepted: accepted)
    }

    /// The stream of a name.
    ///
    /// - Throws: `.streamNotFound`.
    func stream(_ name: StreamName) throws(APIError) -> StreamLog {
        if let stream = server.log.stream(name) { return stream }
        throw APIError(
            .streamNotFound,
            "There is no stream '\(name)'; GET /v1/streams lists those that there are."
        )
    }

    /// The fragment of a number.
    ///
    /// - Throws: `.fragmentNotFound` and what the log fails with.
    func record(
        _ number: FragmentNumber,
        in stream: StreamLog
    ) async throws(APIError)
        -> FragmentRecord
    {
        let found: FragmentRecord?
        do throws(LogError) {
            found = try await stream.fragment(number)
        } catch {
            throw APIError(error)
        }
        if let found { return found }
        throw APIError(
            .fragmentNotFound,
            "Stream '\(stream.name)' has no fragment \(number); it never had, or it is no longer kept."
        )
    }

    /// The JSON of the request's body.
    func json<Value: Decodable>(_ type: Value.Type) async throws -> Value {
        let bytes = try await exchange.body.collect(server.configuration)
        return try JSONBody.decode(type, from: bytes)
    }
}

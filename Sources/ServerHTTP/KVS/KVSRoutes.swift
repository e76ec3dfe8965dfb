import FragmentLog
import HTTPTypes
import MediaModel

/// The operations of Kinesis Video Streams at their own paths (KVS 1.1), without authentication
/// yet: any signature or none is taken.
struct KVSRoutes: Sendable {
    let exchange: Exchange

    init(_ exchange: Exchange) { self.exchange = exchange }

    var server: ServerState { exchange.server }

    /// Handles a request as far as it goes without the body.
    func step() async throws -> Step {
        switch exchange.path {
        case "/createStream": operation(createStream)
        case "/describeStream": operation(describeStream)
        case "/listStreams": operation(listStreams)
        case "/deleteStream": operation(deleteStream)
        case "/getDataEndpoint": operation(dataEndpoint)
        case "/listFragments": operation(listFragments)
        case "/getMedia": operation(getMedia)
        case "/putMedia": try await putMedia()
        default:
            throw APIError(
                .routeNotFound,
                "There is no operation '\(exchange.path.prefix(100))' on this server."
            )
        }
    }

    /// An operation whose parameters are the request's body.
    private func operation<Request: Decodable & Sendable>(
        _ run: @escaping @Sendable (Request) async throws -> Answer
    ) -> Step {
        let exchange = exchange
        return .body {
            let bytes = try await exchange.body.collect(exchange.server.configuration)
            return try await run(try JSONBody.decode(Request.self, from: bytes))
        }
    }

    /// The stream that a request names by name, by ARN or by both.
    ///
    /// - Throws: `.invalidArgument` when it names none or two, `.streamNotFound`.
    func stream(name: String?, arn: String?) throws(APIError) -> StreamLog {
        var named: StreamName?
        if let name { named = try Self.name(name) }
        var incarnation: StreamARN?
        if let arn {
            guard let read = StreamARN(arn) else {
                throw APIError(
                    .invalidArgument,
                    "'\(arn.prefix(300))' is no stream ARN; use what CreateStream and DescribeStream return."
                )
            }
            if let named, named != read.name {
                throw APIError(
                    .invalidArgument,
                    "StreamName and StreamARN name different streams; send one."
                )
            }
            incarnation = read
            named = read.name
        }
        guard let named else {
            throw APIError(
                .invalidArgument,
                "The request names no stream; send StreamName or StreamARN."
            )
        }
        guard let stream = server.log.stream(named),
            incarnation.map({ $0.created == stream.info.created.milliseconds }) ?? true
        else {
            throw APIError(
                .streamNotFound,
                "The requested stream '\(incarnation?.text ?? named.text)' is not found or not active."
            )
        }
        return stream
    }

    /// A stream name from outside.
    static func name(_ text: String) throws(APIError) -> StreamName {
        if let name = StreamName(text) { return name }
        throw APIError(
            .invalidArgument,
            "'\(text.prefix(300))' is no stream name; use \(StreamName.acceptedForm)."
        )
    }
}

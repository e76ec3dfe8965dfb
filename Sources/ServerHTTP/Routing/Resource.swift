import HTTPTypes
import MediaModel

/// A resource of the native API, with the methods it knows (DESIGN 7.2).
enum Resource: Equatable, Sendable {
    case health
    case ready
    case status
    case verify
    case streams
    case stream(StreamName)
    case resumeRetention(StreamName)
    case media(StreamName)
    case fragments(StreamName)
    case fragment(StreamName, FragmentNumber)
    case samples(StreamName, FragmentNumber)
    case timeline(StreamName)

    /// The methods besides OPTIONS, and besides HEAD wherever there is GET.
    var methods: [HTTPRequest.Method] {
        switch self {
        case .health, .ready, .status, .fragments, .fragment, .samples, .timeline: [.get]
        case .streams: [.get, .post]
        case .stream: [.get, .patch, .delete]
        case .media: [.get, .put, .post]
        case .verify, .resumeRetention: [.post]
        }
    }

    /// Everything for an `Allow` header.
    var allowedMethods: [HTTPRequest.Method] {
        methods + (methods.contains(.get) ? [.head] : []) + [.options]
    }

    /// The resource at a path.
    ///
    /// - Parameter path: The path without its query, percent-encoded.
    /// - Throws: `.routeNotFound`; `.invalidArgument` for a name or number that cannot be one.
    init(path: some StringProtocol) throws(APIError) {
        var parts: [String] = []
        for part in path.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
            guard let decoded = PercentEncoding.decode(part) else {
                throw APIError(.invalidArgument, "The path has a malformed percent encoding.")
            }
            parts.append(decoded)
        }
        switch parts.count {
        case 1 where parts == ["healthz"]: self = .health
        case 1 where parts == ["readyz"]: self = .ready
        case 2 where parts == ["v1", "status"]: self = .status
        case 2 where parts == ["v1", "verify"]: self = .verify
        case 2 where parts == ["v1", "streams"]: self = .streams
        case 3 where parts[..<2] == ["v1", "streams"]: self = .stream(try Self.name(parts[2]))
        case 4 where parts[..<2] == ["v1", "streams"]:
            let name = try Self.name(parts[2])
            switch parts[3] {
            case "media": self = .media(name)
            case "fragments": self = .fragments(name)
            case "timeline": self = .timeline(name)
            case "resume-retention": self = .resumeRetention(name)
            default: throw Self.unknown(path)
            }
        case 5 where parts[..<2] == ["v1", "streams"] && parts[3] == "fragments":
            self = .fragment(try Self.name(parts[2]), try Self.number(parts[4]))
        case 6
        where parts[..<2] == ["v1", "streams"] && parts[3] == "fragments" && parts[5] == "samples":
            self = .samples(try Self.name(parts[2]), try Self.number(parts[4]))
        default: throw Self.unknown(path)
        }
    }

    private static func name(_ text: String) throws(APIError) -> StreamName {
        if let name = StreamName(text) { return name }
        throw APIError(
            .invalidArgument,
            "'\(text.prefix(300))' is no stream name; use \(StreamName.acceptedForm)."
        )
    }

    private static func number(_ text: String) throws(APIError) -> FragmentNumber {
        if let number = FragmentNumber(text) { return number }
        throw APIError(
            .invalidArgument,
            "'\(text.prefix(100))' is no fragment number; use the \(FragmentNumber.digitCount) digits that lists give."
        )
    }

    private static func unknown(_ path: some StringProtocol) -> APIError {
        APIError(
            .routeNotFound,
            "There is nothing at '\(path.prefix(300))'; the native API begins at /v1/streams."
        )
    }
}

import FoundationEssentials
import NIOCore

/// Reads the JSON of a request.
enum JSONBody {
    /// The value of a body.
    ///
    /// - Parameters:
    ///   - type: What the body is to hold.
    ///   - bytes: The body; an empty one counts as `{}`.
    /// - Returns: The value.
    /// - Throws: `.invalidJSON` when it is no JSON or a member is of the wrong type.
    static func decode<Value: Decodable>(
        _ type: Value.Type,
        from bytes: ByteBuffer
    ) throws(APIError)
        -> Value
    {
        let data = bytes.readableBytes == 0 ? Data("{}".utf8) : Data(bytes.readableBytesView)
        do {
            return try JSONDecoder().decode(type, from: data)
        } catch let error as APIError {
            throw error
        } catch let error as DecodingError {
            throw APIError(.invalidJSON, "The request's body \(found(error))", cause: error)
        } catch {
            throw APIError(.invalidJSON, "The request's body is no JSON.", cause: error)
        }
    }

    private static func found(_ error: DecodingError) -> String {
        func path(_ context: DecodingError.Context) -> String {
            context.codingPath.map(\.stringValue).joined(separator: ".")
        }
        return switch error {
        case .typeMismatch(_, let context), .valueNotFound(_, let context):
            "has a member '\(path(context))' of the wrong type."
        case .keyNotFound(let key, _): "lacks the member '\(key.stringValue)'."
        case .dataCorrupted(let context) where !context.codingPath.isEmpty:
            "has a member '\(path(context))' that cannot be read."
        // The decoder does not tell the two apart.
        case .dataCorrupted: "is no JSON, or has a number that does not fit where it stands."
        @unknown default: "cannot be read."
        }
    }
}

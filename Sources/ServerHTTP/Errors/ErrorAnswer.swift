import HTTPTypes

/// Errors in the form of the API that was asked.
enum ErrorAnswer {
    /// `{"error":{"code","message","requestId"}}` with what else the answer says.
    static func native(_ error: APIError, id: String, extra: [JSONValue.Member] = []) -> Answer {
        var answer = Answer(
            error.code.status,
            json: .object([JSONValue.Member("error", object(error, id: id))] + extra)
        )
        addHeaders(error, to: &answer)
        return answer
    }

    /// The object that stands for an error in answers and events.
    static func object(_ error: APIError, id: String) -> JSONValue {
        .object([
            "code": .string(error.code.rawValue), "message": .string(error.message),
            "requestId": .string(id),
        ])
    }

    /// The form of KVS 1.3.
    static func kvs(_ error: APIError) -> Answer {
        let (name, status) = error.code.exception
        var answer = Answer(
            status,
            json: .object(["__type": .string(name), "Message": .string(error.message)])
        )
        answer.headers[.errorType] = name
        addHeaders(error, to: &answer)
        return answer
    }

    private static func addHeaders(_ error: APIError, to answer: inout Answer) {
        if let seconds = error.retryAfterSeconds { answer.headers[.retryAfter] = String(seconds) }
        if !error.allowedMethods.isEmpty {
            answer.headers[.allow] = error.allowedMethods.map(\.rawValue).joined(separator: ", ")
        }
    }
}

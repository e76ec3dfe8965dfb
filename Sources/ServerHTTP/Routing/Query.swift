import MediaModel

/// The parameters of a request's target, each at most once and none that the resource does not
/// know: a misspelt `form=` must not silently mean all of the footage.
struct Query: Equatable, Sendable {
    private let values: [String: String]

    /// Reads the part of a target behind its question mark.
    ///
    /// - Parameters:
    ///   - text: The query; `nil` or empty for none.
    ///   - accepted: The names that the resource knows.
    /// - Throws: `.invalidArgument`.
    init(_ text: (some StringProtocol)?, accepted: [String]) throws(APIError) {
        var values: [String: String] = [:]
        for pair in (text.map { Substring($0) } ?? "").split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = PercentEncoding.decode(parts[0]),
                let value = PercentEncoding.decode(parts.count > 1 ? parts[1] : "")
            else {
                throw APIError(.invalidArgument, "The query has a malformed percent encoding.")
            }
            guard accepted.contains(name) else {
                let known =
                    accepted.isEmpty
                    ? "this resource takes none" : "known are \(accepted.joined(separator: ", "))"
                throw APIError(
                    .invalidArgument,
                    "There is no parameter '\(name.prefix(100))'; \(known)."
                )
            }
            guard values.updateValue(value, forKey: name) == nil else {
                throw APIError(.invalidArgument, "The parameter '\(name)' is given more than once.")
            }
        }
        self.values = values
    }

    /// The value of a parameter; `nil` when it is not given.
    subscript(_ name: String) -> String? { values[name] }

    /// The value of a parameter that names a time.
    ///
    /// - Throws: `.invalidArgument` naming the accepted forms.
    func time(_ name: String) throws(APIError) -> TimeReference? {
        guard let text = values[name] else { return nil }
        if let time = TimeReference(text) { return time }
        throw APIError(
            .invalidArgument,
            "'\(text.prefix(100))' is no time for '\(name)'; accepted are \(TimeReference.acceptedForms)."
        )
    }

    /// The clock that `by` names.
    ///
    /// - Throws: `.invalidArgument`.
    func clock() throws(APIError) -> StreamClock {
        guard let text = values["by"] else { return .producer }
        if let clock = StreamClock(rawValue: text) { return clock }
        throw APIError(
            .invalidArgument,
            "'\(text.prefix(100))' is no clock; 'by' is producer or server."
        )
    }

    /// The value of a parameter that is a count.
    ///
    /// - Throws: `.invalidArgument` naming the accepted range.
    func count(_ name: String, in range: ClosedRange<Int64>) throws(APIError) -> Int64? {
        guard let text = values[name] else { return nil }
        if text.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), let value = Int64(text),
            range.contains(value)
        {
            return value
        }
        throw APIError(
            .invalidArgument,
            "'\(text.prefix(100))' is no value for '\(name)'; give a whole number from \(range.lowerBound) to \(range.upperBound)."
        )
    }
}

/// Why codec parameters could not be read or built.
package struct ParameterSetError: Error, Equatable, CustomStringConvertible {
    /// The kinds of failure a caller may tell apart.
    package enum Code: Sendable {
        /// The bytes end before the value does.
        case truncated
        /// A value lies outside what the standard or our limits allow.
        case outOfRange
        /// The bytes are of another kind than the one asked for.
        case wrongKind
    }

    /// What kind of failure it is.
    package let code: Code

    /// What was read, where, and what was found.
    package let message: String

    /// An error from its parts.
    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// The message.
    package var description: String { message }
}

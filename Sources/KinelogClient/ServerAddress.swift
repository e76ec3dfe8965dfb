import Glibc

/// Where a Kinelog server is reached: scheme, host, port and perhaps a path in front of `/v1`.
public struct ServerAddress: Hashable, Sendable, CustomStringConvertible {
    /// The address as text, without a slash at its end.
    public let text: String

    /// The address as text.
    public var description: String { text }

    /// The address a server listens on when nothing is configured.
    public static let standard = ServerAddress(unchecked: "http://127.0.0.1:8080")

    /// The environment variable that names the server.
    public static let variable = "KINELOG_URL"

    /// Checks an address.
    ///
    /// - Parameter text: Such as `http://127.0.0.1:8080` or `https://video.example.org/kinelog`.
    /// - Throws: ``KinelogClientError/Code/badArgument`` when the text is no such address, or
    ///   carries a user, a query or a fragment.
    public init(_ text: String) throws(KinelogClientError) {
        var rest = Substring(text)
        if rest.hasPrefix("http://") {
            rest = rest.dropFirst(7)
        } else if rest.hasPrefix("https://") {
            rest = rest.dropFirst(8)
        } else {
            throw Self.refusal(text, "it begins with neither http:// nor https://")
        }
        guard rest.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw Self.refusal(text, "it has characters that an address cannot have")
        }
        guard !rest.contains(where: { "@?#\\".contains($0) }) else {
            throw Self.refusal(text, "a user, a query or a fragment has no place in it")
        }
        let authority = rest.prefix { $0 != "/" }
        guard Self.isAuthority(authority) else {
            throw Self.refusal(text, "'\(authority)' is no host with an optional port")
        }
        var whole = Substring(text)
        while whole.hasSuffix("/") { whole = whole.dropLast() }
        self.text = String(whole)
    }

    private init(unchecked text: String) { self.text = text }

    /// The server that `KINELOG_URL` names, or ``standard`` when it is unset or empty.
    ///
    /// - Throws: ``KinelogClientError/Code/badArgument`` when the variable holds no address.
    public static func fromEnvironment() throws(KinelogClientError) -> ServerAddress {
        guard let value = unsafe getenv(variable), unsafe value.pointee != 0 else {
            return standard
        }
        return try ServerAddress(unsafe String(cString: value))
    }

    /// Whether a text is `host`, `host:port` or `[IPv6 literal]:port`.
    private static func isAuthority(_ text: Substring) -> Bool {
        var port: Substring?
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]"), text.index(after: text.startIndex) < end
            else { return false }
            let tail = text[text.index(after: end)...]
            if tail.hasPrefix(":") {
                port = tail.dropFirst()
            } else if !tail.isEmpty {
                return false
            }
        } else {
            let parts = text.split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count <= 2, parts.first?.isEmpty == false else { return false }
            if parts.count == 2 { port = parts[1] }
        }
        guard let port else { return true }
        guard let number = UInt16(port) else { return false }
        return number > 0
    }

    private static func refusal(_ text: String, _ why: String) -> KinelogClientError {
        KinelogClientError(
            .badArgument,
            "'\(text)' is no server address: \(why). Write it like \(standard.text)."
        )
    }
}

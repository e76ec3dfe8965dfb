/// An address to listen on: a literal or a name, and a port.
package struct ListenAddress: Equatable, Sendable, CustomStringConvertible {
    /// An IPv4 or IPv6 literal (without brackets) or a host name.
    package let host: String

    /// The port; 0 takes any that is free.
    package let port: Int

    /// An address from its parts.
    package init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// What a text may look like, for messages.
    package static let acceptedForm =
        "HOST:PORT, as in 127.0.0.1:8080, [::1]:8080 or localhost:8080"

    /// Reads an address.
    ///
    /// Gives `nil` when the text is not of ``acceptedForm``.
    package init?(_ text: String) {
        guard let authority = Authority(text), let port = authority.port else { return nil }
        self.init(host: authority.host, port: port)
    }

    package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    /// Whether only programs on this machine can connect.
    package var isLoopback: Bool {
        host.lowercased() == "localhost" || IPLiteral(host)?.isLoopback == true
    }

    /// Whether connections to any address of this machine are taken.
    package var isWildcard: Bool { IPLiteral(host)?.isUnspecified == true }
}

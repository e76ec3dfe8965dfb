/// The URL under which clients reach this server, as its operator states it.
package struct PublicURL: Equatable, Sendable, CustomStringConvertible {
    /// `http` or `https`, then host and port, then a path that a proxy strips, without a slash at
    /// the end: clients append the path of the operation (KVS 1.5).
    package let description: String

    let origin: String
    let authority: Authority

    /// What a text may look like, for messages.
    package static let acceptedForm =
        "http://HOST[:PORT] or https://HOST[:PORT], with an optional path"

    /// Reads a URL.
    ///
    /// Gives `nil` when the text is not of ``acceptedForm``.
    package init?(_ text: String) {
        guard let scheme = ["http://", "https://"].first(where: { text.hasPrefix($0) }) else {
            return nil
        }
        let rest = text.dropFirst(scheme.count)
        let slash = rest.firstIndex(of: "/") ?? rest.endIndex
        guard let authority = Authority(rest[..<slash]) else { return nil }
        var path = rest[slash...]
        while path.hasSuffix("/") { path.removeLast() }
        let isPlain = path.utf8.allSatisfy { byte in
            byte > 0x20 && byte < 0x7F && !Array("?#\"\\<>".utf8).contains(byte)
        }
        guard isPlain else { return nil }
        self.authority = authority
        origin = scheme + rest[..<slash].lowercased()
        description = scheme + rest[..<slash] + path
    }
}

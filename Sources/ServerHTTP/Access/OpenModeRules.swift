/// What keeps web pages away from a server that asks nobody for credentials (DESIGN 7.4).
///
/// A page that a user of this machine looks at can send requests to loopback addresses. It cannot
/// choose `Host`, `Origin` or `Sec-Fetch-Site`: the browser writes them. So a name that an attacker
/// lets point to 127.0.0.1 shows in `Host`, and a foreign page shows in the other two.
struct OpenModeRules: Sendable {
    /// Names that the operator gave this server, lower case.
    let hostNames: Set<String>

    /// Whether any IP literal is a name of this server, because it listens on every address.
    ///
    /// No page can make a browser send a literal in `Host` without connecting to that address.
    let acceptsLiterals: Bool

    /// The operator's public URL as an origin; `nil` when there is none.
    let publicOrigin: String?

    /// The rules of a configuration.
    init(_ configuration: ServerConfiguration) {
        var names = Set(configuration.hostNames.map { $0.lowercased() })
        for address in configuration.listen where !address.isWildcard {
            names.insert(address.host.lowercased())
        }
        if let url = configuration.publicURL { names.insert(url.authority.host) }
        hostNames = names
        acceptsLiterals = configuration.listen.contains { $0.isWildcard }
        publicOrigin = configuration.publicURL?.origin
    }

    /// Judges what a request says of itself.
    ///
    /// - Parameters:
    ///   - host: The `Host` header.
    ///   - origins: Every `Origin` header.
    ///   - fetchSites: Every `Sec-Fetch-Site` header.
    /// - Throws: `.misdirected`, `.crossOrigin`, `.invalidArgument`.
    func check(host: String?, origins: [String], fetchSites: [String]) throws(APIError) {
        guard let host else {
            throw APIError(.invalidArgument, "The request has no Host header; send exactly one.")
        }
        guard let authority = Authority(host), isOurs(authority.host) else {
            throw APIError(
                .misdirected,
                "The request is for host '\(host.prefix(200))', which this server does not know; use localhost, a loopback address or a name given with --host-name."
            )
        }
        for origin in origins where !isOurs(origin: origin, authority: authority) {
            throw APIError(
                .crossOrigin,
                "A page of origin '\(origin.prefix(200))' may not use this server while it asks for no credentials."
            )
        }
        for site in fetchSites where site != "same-origin" && site != "none" {
            throw APIError(
                .crossOrigin,
                "A request that the browser marks '\(site.prefix(50))' may not use this server while it asks for no credentials."
            )
        }
    }

    private func isOurs(_ host: String) -> Bool {
        if host == "localhost" || hostNames.contains(host) { return true }
        guard let literal = IPLiteral(host) else { return false }
        return literal.isLoopback || acceptsLiterals
    }

    private func isOurs(origin: String, authority: Authority) -> Bool {
        if origin == publicOrigin { return true }
        for (scheme, port) in [("http://", 80), ("https://", 443)] where origin.hasPrefix(scheme) {
            guard let theirs = Authority(origin.dropFirst(scheme.count)) else { return false }
            return theirs.host == authority.host
                && (theirs.port ?? port) == (authority.port ?? port)
        }
        return false
    }
}

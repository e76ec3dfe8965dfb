/// A host with an optional port, as in a `Host` header (RFC 9110, 7.2).
struct Authority: Equatable {
    /// Lower case, without the brackets of an IPv6 literal and without the root's dot.
    let host: String

    /// `nil` when none is stated.
    let port: Int?

    /// Reads `host`, `host:port`, `[literal]` or `[literal]:port`.
    ///
    /// Gives `nil` for anything else, user names included.
    init?(_ text: some StringProtocol) {
        guard text.utf8.count <= 512 else { return nil }
        let host: Substring
        let rest: Substring
        let text = Substring(text)
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { return nil }
            host = text[text.index(after: text.startIndex)..<end]
            rest = text[text.index(after: end)...]
            guard IPLiteral(String(host))?.bytes.count == 16 else { return nil }
        } else {
            let colon = text.firstIndex(of: ":") ?? text.endIndex
            host = text[..<colon]
            rest = text[colon...]
            guard !host.isEmpty, host.utf8.allSatisfy(Self.isHostByte) else { return nil }
        }
        if rest.isEmpty {
            port = nil
        } else {
            let digits = rest.dropFirst()
            guard rest.hasPrefix(":"), (1...5).contains(digits.utf8.count),
                digits.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), let value = Int(digits),
                value <= 65_535
            else { return nil }
            port = value
        }
        var name = host.lowercased()
        if name.count > 1, name.hasSuffix(".") { name.removeLast() }
        self.host = name
    }

    private static func isHostByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
            UInt8(ascii: "_"):
            true
        default: false
        }
    }
}

/// The name of a stream: 1 to 256 characters of `[a-zA-Z0-9_.-]`.
package struct StreamName: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// The name as text.
    package let text: String

    package var description: String { text }

    /// What a name may look like, for messages.
    package static let acceptedForm = "1 to 256 characters of a-z, A-Z, 0-9, '_', '.' and '-'"

    /// Checks a name from outside.
    ///
    /// Gives `nil` when the text is not of ``acceptedForm``.
    package init?(_ text: some StringProtocol) {
        guard (1...256).contains(text.utf8.count), text.utf8.allSatisfy(Self.isAllowed) else {
            return nil
        }
        self.text = String(text)
    }

    package static func < (left: Self, right: Self) -> Bool { left.text < right.text }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "."),
            UInt8(ascii: "-"):
            true
        default: false
        }
    }
}

/// The random identity of a stream on disk: 16 lower-case hexadecimal digits as text.
///
/// A stream that is deleted and made again under the same name gets another one.
package struct StreamID: Hashable, Sendable, CustomStringConvertible {
    /// The 64 random bits.
    package let rawValue: UInt64

    /// An identity from its bits.
    package init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    /// A new random identity.
    package static func random() -> StreamID {
        StreamID(rawValue: UInt64.random(in: .min ... .max))
    }

    package var description: String {
        let digits = String(rawValue, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// Reads the 16 hexadecimal digits.
    ///
    /// Gives `nil` when the text is anything else.
    package init?(_ text: some StringProtocol) {
        guard text.utf8.count == 16, !text.utf8.contains(where: { $0 >= 0x41 && $0 <= 0x5A }),
            !text.hasPrefix("+"), !text.hasPrefix("-"), let value = UInt64(text, radix: 16)
        else { return nil }
        self.init(rawValue: value)
    }
}

/// A time as people and programs write it in a command or a query.
package enum TimeReference: Equatable, Sendable {
    /// A fixed instant.
    case instant(Timestamp)

    /// The later of the clock and the end of the newest fragment.
    case now

    /// The start of the oldest fragment that is kept.
    case earliest

    /// So many milliseconds before ``now``.
    case beforeNow(milliseconds: Int64)

    /// What a text may look like, for messages.
    package static let acceptedForms =
        "RFC 3339 (2026-11-21T10:00:00Z), milliseconds since 1970, 'now', 'earliest' or an age such as -30s, -5m, -2h, -1d"

    /// Reads one of the accepted forms.
    ///
    /// Gives `nil` when the text has none of the forms of ``acceptedForms``.
    package init?(_ text: String) {
        switch text {
        case "now": self = .now
        case "earliest": self = .earliest
        default:
            if let age = Self.age(text) {
                self = .beforeNow(milliseconds: age)
            } else if !text.isEmpty, text.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }),
                let milliseconds = Int64(text), milliseconds < Timestamp.endOfTime.milliseconds
            {
                self = .instant(Timestamp(milliseconds: milliseconds))
            } else if let instant = Timestamp(rfc3339: text) {
                self = .instant(instant)
            } else {
                return nil
            }
        }
    }

    private static func age(_ text: String) -> Int64? {
        guard text.hasPrefix("-") else { return nil }
        let body = text.dropFirst()
        let unit: Int64
        let digits: Substring
        if body.hasSuffix("ms") {
            unit = 1
            digits = body.dropLast(2)
        } else {
            switch body.last {
            case "s": unit = 1000
            case "m": unit = 60_000
            case "h": unit = 3_600_000
            case "d": unit = 86_400_000
            default: return nil
            }
            digits = body.dropLast()
        }
        guard !digits.isEmpty, digits.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }),
            let count = Int64(digits)
        else { return nil }
        let (product, overflow) = count.multipliedReportingOverflow(by: unit)
        return overflow ? nil : product
    }

    /// The instant meant, given what `now` and `earliest` are for the stream at hand.
    package func resolved(now: Timestamp, earliest: Timestamp) -> Timestamp {
        switch self {
        case .instant(let instant): instant
        case .now: now
        case .earliest: earliest
        case .beforeNow(let milliseconds): now.advanced(byMilliseconds: -milliseconds)
        }
    }
}

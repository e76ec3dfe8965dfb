import MediaModel

/// A `Date` header (RFC 9110, 5.6.7).
enum HTTPDate {
    private static let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// An instant as in `Sun, 06 Nov 1994 08:49:37 GMT`.
    ///
    /// Gives `nil` outside the years 1970 to 9999.
    static func text(_ instant: Timestamp) -> String? {
        guard instant.milliseconds >= 0, instant < .endOfTime else { return nil }
        // 1970-01-01 was a Thursday.
        let day = days[Int(instant.milliseconds / 86_400_000 % 7)]
        let text = Array(instant.description.utf8)
        func part(_ range: Range<Int>) -> String { String(decoding: text[range], as: UTF8.self) }
        guard let month = Int(part(5..<7)) else { return nil }
        return "\(day), \(part(8..<10)) \(months[month - 1]) \(part(0..<4)) \(part(11..<19)) GMT"
    }
}

/// An instant on the wall clock: whole milliseconds since 1970-01-01T00:00:00Z.
package struct Timestamp: Hashable, Sendable {
    /// Milliseconds since 1970; negative before.
    package var milliseconds: Int64

    /// An instant from its milliseconds since 1970.
    package init(milliseconds: Int64) {
        self.milliseconds = milliseconds
    }

    /// The first instant of the year 10000, where the textual form ends.
    package static let endOfTime = Timestamp(milliseconds: 253_402_300_800_000)

    /// The instant `milliseconds` later, held at the ends of the 64-bit range.
    package func advanced(byMilliseconds milliseconds: Int64) -> Timestamp {
        let (sum, overflow) = self.milliseconds.addingReportingOverflow(milliseconds)
        if overflow { return Timestamp(milliseconds: milliseconds > 0 ? .max : .min) }
        return Timestamp(milliseconds: sum)
    }

    /// How many milliseconds `earlier` lies before this instant, held at the ends of the range.
    package func milliseconds(since earlier: Timestamp) -> Int64 {
        let (difference, overflow) = milliseconds.subtractingReportingOverflow(earlier.milliseconds)
        if overflow { return milliseconds > earlier.milliseconds ? .max : .min }
        return difference
    }
}

extension Timestamp: Comparable {
    package static func < (left: Self, right: Self) -> Bool {
        left.milliseconds < right.milliseconds
    }
}

extension Timestamp: CustomStringConvertible {
    /// RFC 3339 in UTC with three decimals, as in `2026-11-21T10:00:00.000Z`.
    ///
    /// Years outside 0000 to 9999, which RFC 3339 cannot write, come out as plain milliseconds.
    package var description: String {
        let days = milliseconds.flooredDivision(by: 86_400_000)
        let (year, month, day) = CivilDate.date(fromDaysSince1970: days)
        guard year >= 0, year <= 9999 else { return String(milliseconds) }
        let inDay = milliseconds - days * 86_400_000
        return CivilDate.padded(year, 4) + "-" + CivilDate.padded(month, 2) + "-"
            + CivilDate.padded(day, 2) + "T" + CivilDate.padded(inDay / 3_600_000, 2) + ":"
            + CivilDate.padded(inDay / 60_000 % 60, 2) + ":"
            + CivilDate.padded(inDay / 1000 % 60, 2)
            + "." + CivilDate.padded(inDay % 1000, 3) + "Z"
    }

    /// Seconds since 1970 with exactly three decimals, as in the server tags of Kinesis Video
    /// Streams (`1511852109.126`).
    package var secondsText: String {
        let magnitude = milliseconds.magnitude
        let sign = milliseconds < 0 ? "-" : ""
        return sign + String(magnitude / 1000) + "." + CivilDate.padded(Int64(magnitude % 1000), 3)
    }

    /// Reads seconds with one to three decimals, the inverse of ``secondsText``.
    package init?(secondsText text: some StringProtocol) {
        let negative = text.hasPrefix("-")
        let parts = text.dropFirst(negative ? 1 : 0).split(
            separator: ".",
            omittingEmptySubsequences: false
        )
        guard parts.count <= 2, let first = parts.first, !first.isEmpty,
            first.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), let seconds = Int64(first)
        else { return nil }
        var fraction: Int64 = 0
        if parts.count == 2 {
            guard (1...3).contains(parts[1].utf8.count),
                parts[1].utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), let digits = Int64(parts[1])
            else { return nil }
            fraction = digits * [100, 10, 1][parts[1].utf8.count - 1]
        }
        let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1000)
        let (total, overflow2) = scaled.addingReportingOverflow(fraction)
        if overflow || overflow2 { return nil }
        self.init(milliseconds: negative ? -total : total)
    }

    /// Reads an RFC 3339 date and time with `Z` or a numeric offset (RFC 3339, 5.6).
    ///
    /// - Parameter text: Such as `2026-11-21T10:00:00Z` or `2026-11-21 10:00:00.5+01:00`; digits
    ///   after the third decimal are dropped, a leap second counts as the second before it.
    /// Gives `nil` when the text is not of that form or names no real date.
    package init?(rfc3339 text: some StringProtocol) {
        let bytes = Array(text.utf8)
        func number(_ range: Range<Int>) -> Int64? {
            guard range.upperBound <= bytes.count else { return nil }
            var value: Int64 = 0
            for byte in bytes[range] {
                guard byte >= 0x30, byte <= 0x39 else { return nil }
                value = value * 10 + Int64(byte - 0x30)
            }
            return value
        }
        func character(_ index: Int, _ allowed: String) -> Bool {
            index < bytes.count && allowed.utf8.contains(bytes[index])
        }
        guard let year = number(0..<4), character(4, "-"), let month = number(5..<7),
            character(7, "-"), let day = number(8..<10), character(10, "Tt "),
            let hour = number(11..<13), character(13, ":"), let minute = number(14..<16),
            character(16, ":"), let second = number(17..<19),
            (1...12).contains(month), day >= 1, day <= CivilDate.dayCount(year: year, month: month),
            hour <= 23, minute <= 59, second <= 60
        else { return nil }
        var position = 19
        var fraction: Int64 = 0
        if character(position, ".") {
            position += 1
            var weight: Int64 = 100
            let start = position
            while position < bytes.count, bytes[position] >= 0x30, bytes[position] <= 0x39 {
                fraction += Int64(bytes[position] - 0x30) * weight
                weight /= 10
                position += 1
            }
            if position == start { return nil }
        }
        var offsetMinutes: Int64 = 0
        if character(position, "Zz") {
            position += 1
        } else if character(position, "+-"), let hours = number(position + 1..<position + 3),
            character(position + 3, ":"), let minutes = number(position + 4..<position + 6),
            hours <= 23, minutes <= 59
        {
            offsetMinutes = (hours * 60 + minutes) * (bytes[position] == 0x2D ? -1 : 1)
            position += 6
        } else {
            return nil
        }
        guard position == bytes.count else { return nil }
        let days = CivilDate.daysSince1970(year: year, month: month, day: day)
        let seconds = days * 86_400 + hour * 3600 + minute * 60 + min(second, 59)
        self.init(milliseconds: (seconds - offsetMinutes * 60) * 1000 + fraction)
    }
}

extension Int64 {
    /// The quotient rounded towards negative infinity; `divisor` must be positive.
    package func flooredDivision(by divisor: Int64) -> Int64 {
        let quotient = self / divisor
        return self % divisor < 0 ? quotient - 1 : quotient
    }
}

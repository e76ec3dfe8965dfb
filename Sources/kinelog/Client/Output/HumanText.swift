/// Numbers as people read them.
enum HumanText {
    /// Bytes with one decimal in powers of 1024, such as `12.3 MiB`.
    static func bytes(_ count: Int64) -> String {
        let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"]
        var tenths = Int128(count) * 10
        var unit = 0
        while tenths >= 10_235, unit < units.count - 1 {
            tenths = (tenths + 512) / 1024
            unit += 1
        }
        if unit == 0 { return "\(count) B" }
        return "\(tenths / 10).\(tenths % 10) \(units[unit])"
    }

    /// A length of time, such as `850 ms`, `12.4 s`, `3:07 min` or `2:05 h`.
    static func duration(milliseconds: Int64) -> String {
        switch milliseconds {
        case ..<1000: return "\(milliseconds) ms"
        case ..<60_000: return "\(milliseconds / 1000).\(milliseconds % 1000 / 100) s"
        case ..<3_600_000:
            return "\(milliseconds / 60_000):\(twoDigits(milliseconds / 1000 % 60)) min"
        case ..<172_800_000:
            return "\(milliseconds / 3_600_000):\(twoDigits(milliseconds / 60_000 % 60)) h"
        default: return "\(milliseconds / 86_400_000) days"
        }
    }

    /// `1 fragment`, `2 fragments`.
    static func count(_ count: Int64, _ noun: String) -> String {
        count == 1 ? "1 \(noun)" : "\(count) \(noun)s"
    }

    private static func twoDigits(_ value: Int64) -> String {
        value < 10 ? "0\(value)" : String(value)
    }
}

import ArgumentParser

/// A number of bytes on the command line: `500000`, `10GiB` or `10GB`.
struct BytesArgument: ExpressibleByArgument {
    /// How many bytes.
    let count: Int64

    private static let units: [(String, Int64)] = [
        ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40),
        ("kB", 1000), ("MB", 1_000_000), ("GB", 1_000_000_000), ("TB", 1_000_000_000_000),
        ("B", 1),
    ]

    init?(argument: String) {
        let unit = Self.units.first { argument.hasSuffix($0.0) }
        let digits = argument.dropLast(unit?.0.count ?? 0)
        guard digits.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), let number = Int64(digits)
        else { return nil }
        let (count, overflow) = number.multipliedReportingOverflow(by: unit?.1 ?? 1)
        guard !overflow, count > 0 else { return nil }
        self.count = count
    }
}

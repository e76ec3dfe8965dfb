import ArgumentParser
import Logging
import NIOCore
import ServerHTTP

extension ListenAddress: ExpressibleByArgument {
    /// Reads an address; `nil` when it is none.
    package init?(argument: String) { self.init(argument) }

    /// The address as it is written.
    package var defaultValueDescription: String { description }
}

extension PublicURL: ExpressibleByArgument {
    /// Reads a URL; `nil` when it is none.
    package init?(argument: String) { self.init(argument) }
}

/// A number of bytes, as in `500`, `64KiB` or `2GiB`.
struct ByteSize: ExpressibleByArgument {
    let bytes: Int

    private static let units = [("KiB", 10), ("MiB", 20), ("GiB", 30), ("TiB", 40)]

    init(_ bytes: Int) { self.bytes = bytes }

    init?(argument: String) {
        let unit = Self.units.first { argument.hasSuffix($0.0) }
        let digits = argument.dropLast(unit?.0.count ?? 0)
        guard let count = Int(digits), count >= 0 else { return nil }
        let (bytes, overflow) = count.multipliedReportingOverflow(by: 1 << (unit?.1 ?? 0))
        guard !overflow else { return nil }
        self.bytes = bytes
    }

    var defaultValueDescription: String {
        for (name, shift) in Self.units.reversed() where bytes > 0 && bytes % (1 << shift) == 0 {
            return "\(bytes >> shift)\(name)"
        }
        return "\(bytes)"
    }
}

/// A length of time, as in `500ms`, `30s` or `2m`.
struct TimeSpan: ExpressibleByArgument {
    let amount: TimeAmount

    private static let units: [(String, Int64)] = [("ms", 1), ("s", 1000), ("m", 60_000)]

    init(_ amount: TimeAmount) { self.amount = amount }

    init?(argument: String) {
        guard let unit = Self.units.first(where: { argument.hasSuffix($0.0) }),
            let count = Int64(argument.dropLast(unit.0.count)), (0...1_000_000_000).contains(count)
        else { return nil }
        amount = .milliseconds(count * unit.1)
    }

    var milliseconds: Int64 { amount.nanoseconds / 1_000_000 }

    var defaultValueDescription: String {
        milliseconds % 1000 == 0 ? "\(milliseconds / 1000)s" : "\(milliseconds)ms"
    }
}

/// How much is logged.
struct LogLevel: ExpressibleByArgument {
    let level: Logger.Level

    init(_ level: Logger.Level) { self.level = level }

    init?(argument: String) {
        guard let level = Logger.Level(rawValue: argument) else { return nil }
        self.level = level
    }

    var defaultValueDescription: String { level.rawValue }
}

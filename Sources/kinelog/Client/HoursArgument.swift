import ArgumentParser

/// A length of time in hours on the command line: `36`, `36h` or `7d`.
struct HoursArgument: ExpressibleByArgument {
    /// Whole hours.
    let hours: Int

    init?(argument: String) {
        let unit: Int
        var digits = Substring(argument)
        switch argument.last {
        case "h":
            unit = 1
            digits = digits.dropLast()
        case "d":
            unit = 24
            digits = digits.dropLast()
        default: unit = 1
        }
        guard digits.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), let count = Int(digits) else {
            return nil
        }
        let (hours, overflow) = count.multipliedReportingOverflow(by: unit)
        guard !overflow else { return nil }
        self.hours = hours
    }
}

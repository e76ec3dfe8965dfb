import ArgumentParser

/// Measures the log itself, without a network.
///
/// Every command prints figures; none judges.
@main
struct KinelogBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kinelog-bench",
        abstract: "Fill a data directory with many small fragments and time look-ups in it.",
        subcommands: [Fill.self, Lookup.self]
    )
}

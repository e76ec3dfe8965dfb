import ArgumentParser

/// `kinelog fragments …`.
struct FragmentsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fragments",
        abstract: "List the fragments of a stream.",
        subcommands: [FragmentsListCommand.self],
        defaultSubcommand: FragmentsListCommand.self
    )
}

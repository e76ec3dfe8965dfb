import ArgumentParser

/// The command line (DESIGN 7.1).
@main
struct Kinelog: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kinelog",
        abstract: "A log for cameras: keeps video streams as durable fragments and serves them.",
        subcommands: [ServeCommand.self]
    )
}

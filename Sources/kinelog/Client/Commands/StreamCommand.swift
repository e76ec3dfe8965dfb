import ArgumentParser

/// `kinelog stream …`.
struct StreamCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stream",
        abstract: "Make, list, describe and delete streams.",
        subcommands: [
            StreamCreateCommand.self, StreamListCommand.self, StreamDescribeCommand.self,
            StreamDeleteCommand.self, StreamResumeRetentionCommand.self,
        ]
    )
}

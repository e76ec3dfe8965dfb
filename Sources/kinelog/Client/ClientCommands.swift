import ArgumentParser

/// The commands that ask a server, or look at its files.
enum ClientCommands {
    /// All of them, in the order of the help text.
    static let all: [any ParsableCommand.Type] = [
        StreamCommand.self, PushCommand.self, FragmentsCommand.self, FetchCommand.self,
        ReplayCommand.self, VerifyCommand.self, StatusCommand.self,
    ]
}

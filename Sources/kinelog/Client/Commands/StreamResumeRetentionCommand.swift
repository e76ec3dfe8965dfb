import ArgumentParser
import KinelogClient

/// `kinelog stream resume-retention NAME`.
struct StreamResumeRetentionCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume-retention",
        abstract: "Let footage expire by age again after it was paused.",
        discussion: """
            The server pauses expiry when its clock jumps, and after a repair. Look at the clock, \
            and at what 'stream describe' gives as the reason, before you let it go on.
            """
    )

    @OptionGroup var server: ServerOptions
    @OptionGroup var output: OutputOptions

    @Argument(help: "The stream's name.")
    var name: StreamArgument

    func run() async throws {
        let name = name.text
        let stream = try await server.withClient { try await $0.resumeRetention(of: name) }
        if output.json { return try JSONOutput.line(stream) }
        Terminal.note("Footage of stream '\(name)' expires after \(stream.retentionHours) h again.")
    }
}

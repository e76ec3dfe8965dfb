import ArgumentParser
import KinelogClient

/// `kinelog verify`
struct VerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Check everything that is stored.",
        discussion: """
            Asks a running server, which goes on taking and giving footage meanwhile. With --data \
            it reads a data directory that no server uses.
            """
    )

    @OptionGroup var server: ServerOptions
    @OptionGroup var output: OutputOptions

    @Option(help: ArgumentHelp("A data directory that no server uses.", valueName: "dir"))
    var data: String?

    func run() async throws {
        let report = try await server.withClient { try await $0.verify() }
        if output.json {
            try JSONOutput.line(report)
        } else {
            try ReportText.lines(of: report).forEach(Terminal.line)
        }
        if !report.clean { throw ExitCode.failure }
    }
}

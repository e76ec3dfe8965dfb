import ArgumentParser
import KinelogClient

/// `kinelog stream describe NAME`.
struct StreamDescribeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "describe",
        abstract: "Show a stream's settings and what it holds."
    )

    @OptionGroup var server: ServerOptions
    @OptionGroup var output: OutputOptions

    @Argument(help: "The stream's name.")
    var name: StreamArgument

    func run() async throws {
        let name = name.text
        let stream = try await server.withClient { try await $0.stream(name) }
        if output.json { return try JSONOutput.line(stream) }
        try StreamText.lines(of: stream).forEach(Terminal.line)
    }
}

import ArgumentParser
import KinelogClient

/// `kinelog status`.
struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show how the server and its streams are."
    )

    @OptionGroup var server: ServerOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let (address, status) = try await server.withClient {
            ($0.server.text, try await $0.status())
        }
        if output.json { return try JSONOutput.line(status) }
        for line in StatusText.lines(of: status, at: address) { try Terminal.line(line) }
    }
}

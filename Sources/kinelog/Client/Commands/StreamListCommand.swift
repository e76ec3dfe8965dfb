import ArgumentParser
import KinelogClient

/// `kinelog stream list`.
struct StreamListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List all streams."
    )

    @OptionGroup var server: ServerOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let streams = try await server.withClient { try await $0.streams() }
        if output.json {
            for stream in streams { try JSONOutput.line(stream) }
            return
        }
        if streams.isEmpty {
            return Terminal.note("There is no stream yet; 'kinelog push' makes one.")
        }
        try StreamText.table(of: streams).lines.forEach(Terminal.line)
    }
}

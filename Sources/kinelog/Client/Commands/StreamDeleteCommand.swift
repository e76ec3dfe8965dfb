import ArgumentParser
import KinelogClient

/// `kinelog stream delete NAME`.
struct StreamDeleteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete",
        abstract: "Delete a stream and all its footage.",
        discussion: "The footage cannot be brought back. A stream with a hold is not deleted."
    )

    @OptionGroup var server: ServerOptions
    @OptionGroup var output: OutputOptions

    @Argument(help: "The stream's name.")
    var name: StreamArgument

    private struct JSONStream: Encodable {
        var name: String
        var deleted: Bool
    }

    func run() async throws {
        let name = name.text
        try await server.withClient { try await $0.deleteStream(name) }
        if output.json { return try JSONOutput.line(JSONStream(name: name, deleted: true)) }
        Terminal.note("Stream '\(name)' is deleted.")
    }
}

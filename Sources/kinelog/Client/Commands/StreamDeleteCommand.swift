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

    @Argument(help: "The stream's name.")
    var name: StreamArgument

    func run() async throws {
        let name = name.text
        try await server.withClient { try await $0.deleteStream(name) }
        Terminal.note("Stream '\(name)' is deleted.")
    }
}

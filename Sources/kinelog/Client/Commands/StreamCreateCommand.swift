import ArgumentParser
import KinelogClient

/// `kinelog stream create NAME`.
struct StreamCreateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Make a stream."
    )

    @OptionGroup var server: ServerOptions
    @OptionGroup var output: OutputOptions

    @Argument(help: "The stream's name: letters, digits, '_', '.' and '-'.")
    var name: StreamArgument

    @Option(
        help: ArgumentHelp(
            "How long footage is kept, in hours (24, 24h) or days (7d); 0 keeps a short ring.",
            valueName: "hours"
        )
    )
    var retention: HoursArgument?

    @Option(help: ArgumentHelp("How many bytes of footage are kept, such as 10GiB."))
    var maxBytes: BytesArgument?

    @Option(
        name: .customLong("tag"),
        help: ArgumentHelp("A tag; may be given more than once.", valueName: "key=value")
    )
    var tags: [TagArgument] = []

    func validate() throws {
        var keys: Set<String> = []
        for tag in tags where !keys.insert(tag.key).inserted {
            throw ValidationError("The tag '\(tag.key)' is given more than once.")
        }
    }

    func run() async throws {
        let stream = NewStream(
            name: name.text,
            retentionHours: retention?.hours,
            maxBytes: maxBytes?.count,
            tags: tags.isEmpty
                ? nil : Dictionary(uniqueKeysWithValues: tags.map { ($0.key, $0.value) })
        )
        let made = try await server.withClient { try await $0.createStream(stream) }
        if output.json { return try JSONOutput.line(made) }
        try StreamText.lines(of: made).forEach(Terminal.line)
    }
}

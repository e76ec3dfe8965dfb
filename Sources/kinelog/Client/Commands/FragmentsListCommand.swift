import ArgumentParser
import KinelogClient

/// `kinelog fragments [list] NAME`.
struct FragmentsListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the fragments that overlap a range of time."
    )

    @OptionGroup var server: ServerOptions
    @OptionGroup var range: RangeOptions
    @OptionGroup var output: OutputOptions

    @Argument(help: "The stream's name.")
    var name: StreamArgument

    @Option(help: "How many fragments are listed at most.")
    var limit: Int?

    func validate() throws {
        if let limit, limit < 1 { throw ValidationError("--limit is a number from 1 on.") }
    }

    func run() async throws {
        let (name, range, limit, json) = (name.text, range.range, limit ?? .max, output.json)
        try await server.withClient { client in
            var count = 0
            for try await fragment in client.fragments(of: name, in: range) {
                if count == 0, !json { try Terminal.line(FragmentText.heading) }
                count += 1
                if json {
                    try JSONOutput.line(fragment)
                } else {
                    try Terminal.line(FragmentText.row(fragment))
                }
                if count >= limit { break }
            }
            if count == 0, !json {
                Terminal.note("Stream '\(name)' has no fragment in this range.")
            }
        }
    }
}

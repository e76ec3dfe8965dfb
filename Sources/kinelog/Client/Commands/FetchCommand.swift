import ArgumentParser
import KinelogClient
import NIOCore

/// `kinelog fetch NAME --from T --to T -o FILE|-`.
struct FetchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fetch",
        abstract: "Write the footage of a range of time to a file.",
        discussion: """
            Every fragment that overlaps the range is fetched, as Matroska that any player opens. \
            Where codec settings change, a new file begins: NAME.mkv, NAME.2.mkv and so on. While \
            a file is not whole its name ends in .part.
            """
    )

    @OptionGroup var server: ServerOptions
    @OptionGroup var format: OutputOptions

    @Argument(help: "The stream's name.")
    var name: StreamArgument

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Where the range begins.",
            discussion: "Times: \(TimePoint.acceptedForms).",
            valueName: "time"
        )
    )
    var from: TimeArgument

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Where it ends, itself not included; now if left out.",
            valueName: "time"
        )
    )
    var to: TimeArgument?

    @Option(help: "The clock that the times are on.")
    var by: ClockArgument = .producer

    @Option(
        name: .shortAndLong,
        parsing: .unconditional,
        help: ArgumentHelp("The file to write, or - for standard output.", valueName: "file")
    )
    var output: String

    @Flag(help: "Replace files that exist.")
    var force = false

    func run() async throws {
        let (name, output, force) = (name.text, output, force)
        let range = TimeRange(from: from.point, to: to?.point ?? .now, clock: by.clock)
        let files = try await server.withClient { client in
            try await Self.fetch(name, range, to: output, replaces: force, client)
        }
        if output == "-" { return }
        for file in files { try FileOutput.line(file.path, file.byteCount, json: format.json) }
    }

    /// Fetches a range and gives the files that hold it.
    private static func fetch(
        _ name: String,
        _ range: TimeRange,
        to path: String,
        replaces: Bool,
        _ client: KinelogClient
    ) async throws -> [(path: String, byteCount: Int64)] {
        let media = try await client.media(of: name, in: range)
        var walker = MatroskaWalker()
        var writer = DocumentWriter(path: path, replaces: replaces)
        var progress = ProgressLine()
        do {
            for try await bytes in media {
                for piece in try walker.feed(bytes) {
                    try await Self.write(piece, &writer, &progress)
                }
            }
            for piece in walker.finish() { try await Self.write(piece, &writer, &progress) }
            progress.clear()
            try writer.finish()
        } catch {
            progress.clear()
            if let place = writer.place, path != "-" {
                Terminal.note("What has arrived so far is in '\(place)'.")
            }
            throw error
        }
        guard writer.byteCount > 0 else {
            throw CommandError(
                "Stream '\(name)' has no footage between \(range.from?.text ?? "") and \(range.to?.text ?? ""); 'kinelog fragments \(name)' lists what it has."
            )
        }
        return writer.written
    }

    private static func write(
        _ piece: TimedPiece,
        _ writer: inout DocumentWriter,
        _ progress: inout ProgressLine
    ) async throws {
        try await writer.write(piece)
        if piece.startsDocument, writer.documentCount > 1 {
            progress.clear()
            let place = writer.finalPlace.map { " in '\($0)'" } ?? ""
            Terminal.note("Settings change here: document \(writer.documentCount) begins\(place).")
        }
        progress.show("\(HumanText.bytes(writer.byteCount)) fetched")
    }
}

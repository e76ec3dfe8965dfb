import ArgumentParser
import KinelogClient
import MediaModel
import NIOCore

/// `kinelog push NAME FILE|-`.
struct PushCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "push",
        abstract: "Send a file or standard input to a stream as a producer.",
        discussion: """
            The media is MPEG-TS, Matroska or WebM, sent as it is. The command ends when all of it \
            is durable. A camera or an encoder can be sent through a pipe:

              ffmpeg -re -i INPUT -c copy -f matroska - | kinelog push NAME -
            """
    )

    @OptionGroup var server: ServerOptions
    @OptionGroup var output: OutputOptions

    @Argument(help: "The stream's name.")
    var name: StreamArgument

    @Argument(help: "The file to send, or - for standard input.")
    var file: String

    @Flag(help: "Send at the speed at which the media plays, as a camera would.")
    var realtime = false

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Capture time of the first sample; without it the server goes by arrival.",
            discussion: "Times: \(TimePoint.acceptedForms), but not 'earliest'.",
            valueName: "time"
        )
    )
    var start: TimeArgument?

    @Flag(
        inversion: .prefixedNo,
        help: "Make the stream first if it does not exist, or refuse to; the server decides else."
    )
    var create: Bool?

    func validate() throws {
        if start?.reference == .earliest {
            throw ValidationError("--start takes an instant, 'now' or an age, not 'earliest'.")
        }
    }

    func run() async throws {
        let source = try FileBytes(path: file)
        if try MediaKind(source) == .progressiveMP4 { throw Self.remuxFirst(file, name.text) }
        var options = PushOptions()
        if let start {
            let now = Timestamp.wallClock
            options.startMilliseconds =
                start.reference.resolved(now: now, earliest: now).milliseconds
        }
        let push = Push(
            name: name.text,
            options: options,
            length: source.length,
            output: output.json ? .json : .text
        )
        let (create, realtime) = (create, realtime)
        try await server.withClient { client in
            try await Self.prepare(push.name, create: create, client)
            if realtime {
                let paced = PacedMedia(
                    source,
                    speed: .thousandths(1000),
                    pauseMillisecondsMax: 10_000
                )
                try await push.run(paced.map(\.bytes), client)
            } else {
                try await push.run(source, client)
            }
        }
    }

    /// Makes the stream, or makes sure that there is one.
    private static func prepare(
        _ name: String,
        create: Bool?,
        _ client: KinelogClient
    ) async throws {
        switch create {
        case nil: break
        case false?: _ = try await client.stream(name)
        case true?:
            do throws(KinelogClientError) {
                _ = try await client.createStream(NewStream(name: name))
            } catch {
                // A conflict says that it is there already.
                guard error.code == .conflict else { throw error }
            }
        }
    }

    /// A progressive MP4 file cannot be read from a pipe, and a server takes nothing else.
    private static func remuxFirst(_ file: String, _ name: String) -> CommandError {
        CommandError(
            "'\(file)' is an MP4 file with its index at the end, which cannot be sent as a stream. Remux it on the way, without loss: ffmpeg -i '\(file)' -c copy -f matroska - | kinelog push \(name) -"
        )
    }
}

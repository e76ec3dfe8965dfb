import ArgumentParser
import KinelogClient
import MediaModel

/// `kinelog replay NAME --from T --to -|FILE|stream:NAME`.
struct ReplayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Play footage again at its own speed, or a multiple of it.",
        discussion: """
            '--to' names where it goes; the end of the range is '--until'. Without '--until' the \
            replay goes on with live footage once it has caught up.

              kinelog replay dock --from -5m --to - | ffplay -
              kinelog replay dock --from -1h --until now --speed 4 --to stream:dock-again
            """
    )

    @OptionGroup var server: ServerOptions
    @OptionGroup var output: OutputOptions

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
        help: ArgumentHelp("Where it ends, itself not included.", valueName: "time")
    )
    var until: TimeArgument?

    @Option(help: "The clock that the times are on.")
    var by: ClockArgument = .producer

    @Option(help: ArgumentHelp("1, 4, 0.5 or another multiple, or max.", valueName: "factor"))
    var speed = SpeedArgument.normal

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Where it goes: - for standard output, a file, or stream:NAME.",
            valueName: "target"
        )
    )
    var to: ReplayTarget

    @Flag(help: "Do not wait through pauses of more than ten seconds in the footage.")
    var skipPauses = false

    @Flag(help: "Give the other stream the capture times of this one; else it goes by arrival.")
    var keepTimes = false

    @Flag(help: "Replace a file that exists.")
    var force = false

    func validate() throws {
        if to == .stream(name.text) {
            throw ValidationError("A stream cannot be replayed to itself.")
        }
        if keepTimes, case .file = to {
            throw ValidationError("--keep-times is for --to stream:NAME.")
        }
    }

    func run() async throws {
        let replay = Replay(
            name: name.text,
            from: from.reference,
            until: until?.reference,
            clock: by.clock,
            speed: speed.speed,
            pauseMillisecondsMax: skipPauses ? 10_000 : .max,
            keepsTimes: keepTimes
        )
        let (target, force, json) = (to, force, output.json)
        try await server.withClient { client in
            switch target {
            case .file(let path):
                try await replay.run(toFile: path, replaces: force, json: json, client)
            case .stream(let other):
                try await replay.run(toStream: other, json: json, client)
            }
        }
    }
}

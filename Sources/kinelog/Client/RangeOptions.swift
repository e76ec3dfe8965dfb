import ArgumentParser
import KinelogClient

/// `--from`, `--to` and `--by` of commands that list.
struct RangeOptions: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Where the range begins.",
            discussion: "Times: \(TimePoint.acceptedForms).",
            valueName: "time"
        )
    )
    var from: TimeArgument?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Where it ends, itself not included.", valueName: "time")
    )
    var to: TimeArgument?

    @Option(help: "The clock that the times are on.")
    var by: ClockArgument = .producer

    /// The range that a server is asked for.
    var range: TimeRange { TimeRange(from: from?.point, to: to?.point, clock: by.clock) }
}

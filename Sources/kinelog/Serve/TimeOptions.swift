import ArgumentParser
import FragmentLog
import NIOCore
import ServerHTTP

/// How long the server waits for others.
struct TimeOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "A push ends when its producer sends nothing for so long.",
            valueName: "time"
        )
    )
    var pushIdle = TimeSpan(.seconds(30))

    @Option(
        help: ArgumentHelp(
            "A reader is closed when it accepts nothing for so long.",
            valueName: "time"
        )
    )
    var readerStall = TimeSpan(.seconds(60))

    @Option(
        help: ArgumentHelp(
            "How long requests may go on after SIGTERM or SIGINT.",
            valueName: "time"
        )
    )
    var drain = TimeSpan(.seconds(10))

    @Option(
        help: ArgumentHelp(
            "How long a connection may take to send a request's head, and stay unused.",
            valueName: "time"
        )
    )
    var headTimeout = TimeSpan(.seconds(60))

    @Option(
        help: ArgumentHelp(
            "Silence after which PutMedia sends an IDLE acknowledgement.",
            valueName: "time"
        )
    )
    var ackIdle = TimeSpan(.seconds(5))

    @Option(
        help: ArgumentHelp("Silence after which GetMedia ends.", valueName: "time")
    )
    var getMediaSilence = TimeSpan(.seconds(30))

    @Option(
        help: ArgumentHelp(
            "A producer that sends nothing for so long loses its open fragment to a newer one.",
            valueName: "time"
        )
    )
    var takeoverSilence = TimeSpan(.seconds(2))

    @Option(
        help: ArgumentHelp(
            "How long newcomers are refused after producers have fought for a stream.",
            valueName: "time"
        )
    )
    var contentionTime = TimeSpan(.seconds(60))

    @Option(
        help: ArgumentHelp(
            "How often what has expired is looked for, and the clock is watched.",
            valueName: "time"
        )
    )
    var sweepInterval = TimeSpan(.seconds(10))

    @Option(
        help: ArgumentHelp(
            "Between '100 Continue' and the final head of PutMedia.",
            valueName: "time",
            visibility: .hidden
        )
    )
    var continuePause = TimeSpan(.milliseconds(10))

    @Option(
        help: ArgumentHelp(
            "How long a finished connection waits for its peer to close.",
            valueName: "time",
            visibility: .hidden
        )
    )
    var linger = TimeSpan(.seconds(3))

    func validate() throws {
        for (name, time) in [
            ("takeover-silence", takeoverSilence), ("contention-time", contentionTime),
            ("sweep-interval", sweepInterval),
        ] where time.milliseconds <= 0 {
            throw ValidationError("--\(name) must be longer than zero.")
        }
    }

    /// Sets the times of a log.
    func apply(to configuration: inout LogConfiguration) {
        configuration.silentTakeoverMilliseconds = takeoverSilence.milliseconds
        configuration.contentionMilliseconds = contentionTime.milliseconds
        configuration.sweepMilliseconds = sweepInterval.milliseconds
    }

    /// Sets the times of a server.
    func apply(to configuration: inout ServerConfiguration) {
        configuration.pushIdle = pushIdle.amount
        configuration.readerStall = readerStall.amount
        configuration.continuePause = continuePause.amount
        configuration.linger = linger.amount
        configuration.drain = drain.amount
        configuration.requestHeadTimeout = headTimeout.amount
        configuration.acknowledgementIdle = ackIdle.amount
        configuration.getMediaSilence = getMediaSilence.amount
    }
}

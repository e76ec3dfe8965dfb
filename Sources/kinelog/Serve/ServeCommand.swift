import ArgumentParser
import FragmentLog
import Logging
import ServerHTTP

/// `kinelog serve`.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Runs the server.",
        discussion: """
            Without options it listens on 127.0.0.1:8080 and asks nobody for credentials, so that \
            only programs on this machine can reach it. When it is ready it prints one line \
            'listening on http://HOST:PORT' per address to standard output; everything else goes \
            to standard error.
            """
    )

    @Option(help: ArgumentHelp("The data directory; made when it is missing.", valueName: "dir"))
    var data = "./kinelog-data"

    @Option(
        name: .customLong("http"),
        help: ArgumentHelp(
            "Where to listen; may be given more than once. Port 0 takes any that is free.",
            valueName: "host:port"
        )
    )
    var listen: [ListenAddress] = [ListenAddress(host: "127.0.0.1", port: 8080)]

    @Flag(help: "Let other machines connect although nobody is asked for credentials.")
    var insecure = false

    @Option(
        help: ArgumentHelp(
            "What clients are told to reach this server at; for use behind a proxy.",
            valueName: "url"
        )
    )
    var publicURL: PublicURL?

    @Option(
        name: .customLong("host-name"),
        help: ArgumentHelp(
            "A name of this server that requests may be for, besides localhost; may be given more than once.",
            valueName: "name"
        )
    )
    var hostNames: [String] = []

    @Flag(
        inversion: .prefixedNo,
        help: "Make a stream when somebody pushes to one that is missing."
    )
    var autoCreate = true

    @OptionGroup(title: "Limits")
    var limits: LimitOptions

    @OptionGroup(title: "Times")
    var times: TimeOptions

    @Option(
        help: ArgumentHelp(
            "What is logged: trace, debug, info, notice, warning, error or critical.",
            valueName: "level"
        )
    )
    var logLevel = LogLevel(.notice)

    mutating func validate() throws {
        do {
            try serverConfiguration.validate()
        } catch {
            throw ValidationError(error.description)
        }
    }

    func run() async throws {
        try await ServeRun(
            log: logConfiguration,
            server: serverConfiguration,
            logLevel: logLevel.level
        ).run()
    }

    var serverConfiguration: ServerConfiguration {
        var configuration = ServerConfiguration()
        configuration.listen = listen
        configuration.isInsecure = insecure
        configuration.publicURL = publicURL
        configuration.hostNames = hostNames
        configuration.autoCreate = autoCreate
        limits.apply(to: &configuration)
        times.apply(to: &configuration)
        return configuration
    }

    var logConfiguration: LogConfiguration {
        var configuration = LogConfiguration(directory: data)
        limits.apply(to: &configuration)
        times.apply(to: &configuration)
        return configuration
    }
}

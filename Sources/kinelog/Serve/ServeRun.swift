import CLinux
import FragmentLog
import Glibc
import Logging
import ServerHTTP
import ServiceLifecycle
import UnixSignals

/// Runs the server until a signal ends it.
struct ServeRun: Sendable {
    let log: LogConfiguration
    let server: ServerConfiguration
    let logLevel: Logger.Level

    /// Arenas of malloc and the room it gives back at once: with hundreds of threads the defaults
    /// keep a quarter more memory and cost a fifth more time.
    private static let mallocArenas: Int32 = 4
    private static let mallocTrimThreshold = 1 << 20

    /// Opens the log, serves, and closes the log when everything else has ended.
    func run() async throws {
        kl_tune_malloc(Self.mallocArenas, Self.mallocTrimThreshold)
        signal(SIGPIPE, SIG_IGN)
        let level = logLevel
        LoggingSystem.bootstrap { label in StandardErrorLog(label: label, level: level) }
        let logger = Logger(label: "kinelog")
        var log = log
        // The two share the descriptors.
        log.connectionsMax = server.connectionsMax
        let fragmentLog = try await FragmentLog.open(log, logger: logger)
        do {
            let http = try HTTPService(
                log: fragmentLog,
                configuration: server,
                logger: logger,
                onListening: Announcement.print
            )
            // Services end in the reverse order of this list.
            let group = ServiceGroup(
                configuration: ServiceGroupConfiguration(
                    services: [
                        .init(service: LogService(log: fragmentLog)),
                        .init(
                            service: http,
                            successTerminationBehavior: .gracefullyShutdownGroup
                        ),
                    ],
                    gracefulShutdownSignals: [.sigterm, .sigint],
                    logger: logger
                )
            )
            try await group.run()
        } catch {
            await fragmentLog.close()
            throw error
        }
    }
}

/// Keeps the log open while there are services that use it, then closes it.
struct LogService: Service {
    let log: FragmentLog

    func run() async throws {
        try? await gracefulShutdown()
        await log.close()
    }
}

/// Says where the server listens.
enum Announcement {
    /// Prints a line per address: programs that start the server read the port from it.
    @Sendable static func print(_ addresses: [ListenAddress]) async {
        for address in addresses { StandardOutput.write("listening on http://\(address)\n") }
    }
}

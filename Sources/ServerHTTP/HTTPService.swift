package import FragmentLog
import Glibc
import HTTPTypes
import HummingbirdCore
package import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Synchronization

/// The HTTP server: native and KVS API on every address of its configuration.
///
/// At a graceful shutdown it stops accepting, ends responses that would go on for ever, lets others
/// and uploads finish for ``ServerConfiguration/drain``, then cuts producers off, keeping and
/// answering for what they sent, and returns.
package final class HTTPService: Service {
    private let server: ServerState
    private let onListening: @Sendable ([ListenAddress]) async -> Void

    /// A server that does not listen yet.
    ///
    /// - Parameters:
    ///   - log: What it serves.
    ///   - configuration: How.
    ///   - logger: Where it says what happens.
    ///   - onListening: Called once with the addresses as they are bound, when all are.
    /// - Throws: ``ConfigurationError``.
    package init(
        log: FragmentLog,
        configuration: ServerConfiguration,
        logger: Logger,
        onListening: @escaping @Sendable ([ListenAddress]) async -> Void = { _ in }
    ) throws(ConfigurationError) {
        try configuration.validate()
        server = ServerState(
            log: log,
            configuration: configuration,
            rules: OpenModeRules(configuration),
            logger: logger
        )
        self.onListening = onListening
    }

    private enum End {
        case listenerEnded
        case drained
    }

    /// How long answers to producers that were cut off may take.
    private static let answerTime = TimeAmount.seconds(5)

    /// Serves until the server is told to end.
    package func run() async throws {
        let server = server
        let bound = BoundAddresses(count: server.configuration.listen.count, onListening)
        let connections = MaximumAvailableConnections(connectionsPerListener)
        // Followers end when the listeners stop accepting.
        try await withGracefulShutdownHandler {
            try await withThrowingTaskGroup(of: End.self) { group in
                for (index, address) in server.configuration.listen.enumerated() {
                    let listener = listener(address, connections) { port in
                        await bound.bound(index, ListenAddress(host: address.host, port: port))
                    }
                    group.addTask {
                        do {
                            try await listener.run()
                        } catch {
                            throw ListenError(address: address, cause: error)
                        }
                        return .listenerEnded
                    }
                }
                group.addTask {
                    try await Self.drain(server)
                    return .drained
                }
                defer { group.cancelAll() }
                for _ in server.configuration.listen {
                    guard try await group.next() == .listenerEnded else { return }
                }
            }
        } onGracefulShutdown: {
            server.stopping.open()
        }
    }

    /// Connections that wait for a place stay in the listener's backlog.
    private var connectionsPerListener: Int {
        var limit = rlimit()
        let descriptors =
            unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0
            ? Int(clamping: limit.rlim_cur) : 1024
        let total = min(server.configuration.connectionsMax, descriptors / 2)
        return max(1, total / server.configuration.listen.count)
    }

    /// Waits for the shutdown and as long as requests may go on, then cuts producers off.
    private static func drain(_ server: ServerState) async throws {
        await server.stopping.wait()
        try await Task.sleep(nanoseconds: UInt64(clamping: server.configuration.drain.nanoseconds))
        server.logger.notice("requests are still running at the end of the drain time")
        server.cutting.open()
        try await Task.sleep(nanoseconds: UInt64(clamping: answerTime.nanoseconds))
    }

    private func listener(
        _ address: ListenAddress,
        _ connections: MaximumAvailableConnections,
        onBound: @escaping @Sendable (Int) async -> Void
    ) -> Server<HTTP1Channel> {
        let (server, configuration, logger) = (server, server.configuration, server.logger)
        let responder = HTTPResponder(server: server)
        let channel = HTTP1Channel(
            responder: { request, writer, channel in
                try await responder.respond(to: request, writer: writer, channel: channel)
            },
            configuration: HTTP1Channel.Configuration(
                additionalChannelHandlers: [
                    ConnectionHandler(limits: configuration, logger: logger)
                ],
                idleTimeout: nil,
                httpDecoderConfiguration: HTTP1Channel.Configuration.DecoderConfiguration(
                    maxHeaderFieldSize: configuration.headerFieldBytesMax,
                    maxHeaderListSize: configuration.headerBytesMax,
                    maxHeaderFieldCount: configuration.headerCountMax
                )
            )
        )
        return Server(
            childChannelSetup: channel,
            configuration: HummingbirdCore.ServerConfiguration(
                address: .hostname(address.host, port: address.port),
                backlog: 1024,
                availableConnectionsDelegate: connections
            ),
            onServerRunning: { channel in
                await onBound(channel.localAddress?.port ?? address.port)
            },
            eventLoopGroup: MultiThreadedEventLoopGroup.singleton,
            logger: Self.quiet(logger)
        )
    }

    /// The server library's own lines are of use to those who work on it.
    private static func quiet(_ logger: Logger) -> Logger {
        var logger = logger
        if logger.logLevel < .warning { logger.logLevel = .warning }
        return logger
    }
}

/// An address that cannot be listened on.
package struct ListenError: Error, Sendable, CustomStringConvertible {
    /// The address.
    package let address: ListenAddress

    /// What the system says.
    package let cause: any Error

    /// What happened and what to do about it.
    package var description: String {
        let code = (cause as? IOError)?.errnoCode
        let found =
            switch code {
            case EADDRINUSE: "another program listens there; end it or choose another with --http"
            case EACCES: "this user may not; take a port above 1023 or another user"
            case EADDRNOTAVAIL: "it is no address of this machine; choose another with --http"
            default: "\(cause)"
            }
        return "\(address) cannot be listened on: \(found)."
    }
}

/// Gathers the addresses of all listeners and reports when the last is bound.
private actor BoundAddresses {
    private var addresses: [Int: ListenAddress] = [:]
    private let count: Int
    private let report: @Sendable ([ListenAddress]) async -> Void

    init(count: Int, _ report: @escaping @Sendable ([ListenAddress]) async -> Void) {
        self.count = count
        self.report = report
    }

    func bound(_ index: Int, _ address: ListenAddress) async {
        addresses[index] = address
        if addresses.count == count {
            await report(addresses.sorted { $0.key < $1.key }.map(\.value))
        }
    }
}

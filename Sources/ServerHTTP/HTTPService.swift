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
/// At a graceful shutdown it stops accepting, ends responses that would go on for ever, and lets
/// others and uploads finish. Within ``ServerConfiguration/drain`` it cuts producers off, keeping and
/// answering for what they sent, closes what is left, and returns.
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
            logger: logger,
            connections: ConnectionCount(
                limit: min(configuration.connectionsMax, log.descriptorBudget.connections)
            )
        )
        self.onListening = onListening
    }

    /// Serves until the server is told to end.
    ///
    /// - Throws: ``ListenError`` when an address cannot be listened on, or no longer.
    package func run() async throws {
        let server = server
        let addresses = server.configuration.listen
        let bound = BoundAddresses(count: addresses.count, onListening)
        // Connections that wait for a place stay in the listeners' backlogs.
        let total = server.connections.limit + ConnectionCount.surplusMax
        let connections = MaximumAvailableConnections(max(1, total / addresses.count))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, address) in addresses.enumerated() {
                let listener = listener(address, connections) { port in
                    await bound.bound(index, ListenAddress(host: address.host, port: port))
                }
                group.addTask {
                    do {
                        try await listener.run()
                    } catch {
                        throw ListenError(address: address, cause: error)
                    }
                    guard Task.isShuttingDownGracefully || Task.isCancelled else {
                        throw ListenError(address: address, cause: nil)
                    }
                }
            }
            defer { group.cancelAll() }
            try await group.waitForAll()
        }
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
                    ConnectionHandler(
                        limits: configuration,
                        connections: server.connections,
                        logger: logger
                    )
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

/// An address that cannot be listened on, or no longer.
package struct ListenError: Error, Sendable, CustomStringConvertible {
    /// The address.
    package let address: ListenAddress

    /// What the system says; `nil` for a listener that ended by itself.
    package let cause: (any Error)?

    /// What happened and what to do about it.
    package var description: String {
        guard let cause else {
            return
                "Listening on \(address) ended although nobody asked for it; the log says why. Start the server again."
        }
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

import NIOCore
import Synchronization

/// One TCP connection as the requests on it see it.
final class Connection: Sendable {
    /// The connection's channel.
    let channel: any Channel

    /// Opens when the peer has closed its side or the connection is gone.
    let peerIsGone = Latch()

    private struct State {
        var isClosing = false
        var isRequestInProgress = false
    }

    private let state = Mutex(State())

    init(_ channel: any Channel) {
        self.channel = channel
    }

    /// The peer's address as text, with its port.
    var peer: String {
        guard let address = channel.remoteAddress, let ip = address.ipAddress else {
            return "unknown"
        }
        let host = ip.contains(":") ? "[\(ip)]" : ip
        return "\(host):\(address.port ?? 0)"
    }

    /// The port that the peer connected to.
    var localPort: Int? { channel.localAddress?.port }

    /// Whether the connection ends with the response that is being made, because the server stops.
    var isClosing: Bool { state.withLock { $0.isClosing } }

    /// The server stops.
    ///
    /// - Returns: Whether no request is in progress, so that nothing keeps the connection open.
    func stop() -> Bool {
        state.withLock { state in
            state.isClosing = true
            return !state.isRequestInProgress
        }
    }

    /// A request's head has arrived on a channel that ``ConnectionHandler`` was added to.
    static func requestBegan(on channel: any Channel) async throws -> Connection {
        try await channel.eventLoop.submit {
            let handler = try channel.pipeline.syncOperations.handler(type: ConnectionHandler.self)
            handler.headArrived()
            let connection = handler.connection(channel)
            connection.state.withLock { $0.isRequestInProgress = true }
            return connection
        }.get()
    }

    /// The response is complete, and the connection waits for the next request.
    ///
    /// - Returns: Whether another request may follow.
    func requestEnded() async throws -> Bool {
        let channel = channel
        let mayGoOn = state.withLock { state in
            state.isRequestInProgress = false
            return !state.isClosing
        }
        guard mayGoOn else { return false }
        return try await channel.eventLoop.submit {
            guard channel.isActive else { return false }
            let handler = try channel.pipeline.syncOperations.handler(type: ConnectionHandler.self)
            handler.awaitHead(channel)
            return true
        }.get()
    }
}

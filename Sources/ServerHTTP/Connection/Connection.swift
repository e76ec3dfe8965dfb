import NIOCore
import Synchronization

/// One TCP connection as the requests on it see it.
final class Connection: Sendable {
    /// Why responses that would go on for ever end.
    enum End {
        /// The peer has closed its side, or the connection is gone.
        case peer
        /// The server stops.
        case server
    }

    /// The connection's channel.
    let channel: any Channel

    /// Whether it is one too many.
    let isSurplus: Bool

    /// Opens when the peer has closed its side, the connection is gone or the server stops.
    let ending = Latch()

    private struct State {
        var isPeerGone = false
        var isStopping = false
        var isCut = false
        var body: RequestBytes?
    }

    private let state = Mutex(State())

    init(_ channel: any Channel, isSurplus: Bool) {
        self.channel = channel
        self.isSurplus = isSurplus
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

    /// Whether the peer has closed its side or the connection is gone.
    var isPeerGone: Bool { state.withLock { $0.isPeerGone } }

    /// Whether the connection ends with the response that is being made, because the server stops.
    var isStopping: Bool { state.withLock { $0.isStopping } }

    // MARK: The event loop's side

    /// Ends responses that would go on for ever.
    func end(_ end: End) {
        state.withLock { state in
            switch end {
            case .peer: state.isPeerGone = true
            case .server: state.isStopping = true
            }
        }
        ending.open()
    }

    /// Ends what is being received: the server can wait for it no longer.
    func cut() {
        let body = state.withLock { state in
            state.isCut = true
            return state.body
        }
        body?.cut(RequestBytes.shuttingDown)
    }

    // MARK: The requests' side

    /// A request is taken up on a channel that ``ConnectionHandler`` was added to.
    ///
    /// - Throws: When the connection is gone.
    static func requestBegan(on channel: any Channel) async throws -> Connection {
        try await channel.eventLoop.submit {
            let handler = try channel.pipeline.syncOperations.handler(type: ConnectionHandler.self)
            guard let connection = handler.requestBegan() else {
                throw ChannelError.ioOnClosedChannel
            }
            return connection
        }.get()
    }

    /// The body that is being received from here on.
    func receives(_ body: RequestBytes) {
        let isCut = state.withLock { state in
            state.body = body
            return state.isCut
        }
        if isCut { body.cut(RequestBytes.shuttingDown) }
    }

    /// The response is complete.
    ///
    /// - Parameter mayGoOn: Whether another request may follow, as far as this one is concerned.
    /// - Returns: Whether another request may follow; else the connection is being closed, and is
    ///   when the channel's `closeFuture` says so.
    /// - Throws: When the event loop is gone.
    func responseEnded(mayGoOn: Bool) async throws -> Bool {
        let channel = channel
        state.withLock { $0.body = nil }
        return try await channel.eventLoop.submit {
            guard channel.isActive else { return false }
            let handler = try channel.pipeline.syncOperations.handler(type: ConnectionHandler.self)
            return handler.responseEnded(mayGoOn: mayGoOn, channel)
        }.get()
    }
}

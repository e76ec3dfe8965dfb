import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypes

/// Watches one connection from its event loop and does what ``ConnectionState`` decides.
///
/// Passes all data on as it is. It stands before Hummingbird's own handler and takes the quiesce
/// event for itself: that one would close the socket right behind the response's last byte, and with
/// unread bytes of an upload in the kernel the close becomes a reset that can destroy the response.
final class ConnectionHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart

    private let limits: ServerConfiguration
    private let logger: Logger
    private let connections: ConnectionCount
    private var state: ConnectionState
    private var known: Connection?
    private var nextLook: Scheduled<Void>?
    private var stopTimers: [Scheduled<Void>] = []

    init(limits: ServerConfiguration, connections: ConnectionCount, logger: Logger) {
        self.limits = limits
        self.connections = connections
        self.logger = logger
        state = ConnectionState(limits, at: .now())
    }

    // MARK: The channel

    func handlerAdded(context: ChannelHandlerContext) {
        known = Connection(context.channel, isSurplus: !connections.enter())
        addHeadHandler(context)
        if context.channel.isActive { wait(context.channel) }
    }

    func handlerRemoved(context: ChannelHandlerContext) { leave() }

    /// Puts a handler behind the parser, where a server cannot be configured to have one.
    private func addHeadHandler(_ context: ChannelHandlerContext) {
        let pipeline = context.pipeline.syncOperations
        do {
            let parser = try pipeline.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
            try pipeline.addHandler(HeadHandler(), position: .after(parser))
        } catch {
            // Without it foreign hosts could pass as ours.
            context.close(promise: nil)
        }
    }

    func channelActive(context: ChannelHandlerContext) {
        wait(context.channel)
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .head = unwrapInboundIn(data) { state.headArrived() }
        context.fireChannelRead(data)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        state.becomes(full: !context.channel.isWritable, at: .now())
        wait(context.channel)
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case is ChannelShouldQuiesceEvent:
            stop(context.channel)
        case ChannelEvent.inputClosed:
            perform(state.peerDone(), context.channel)
            known?.end(.peer)
            context.fireUserInboundEventTriggered(event)
        default:
            context.fireUserInboundEventTriggered(event)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        state.gone()
        leave()
        context.fireChannelInactive()
    }

    /// The connection is over; does its work once.
    private func leave() {
        nextLook?.cancel()
        for timer in stopTimers { timer.cancel() }
        stopTimers = []
        guard let connection = known else { return }
        known = nil
        connections.leave()
        connection.end(.peer)
    }

    // MARK: Requests

    /// A request is taken up.
    ///
    /// - Returns: What it sees of the connection; `nil` when that is gone.
    func requestBegan() -> Connection? {
        state.requestBegan()
        return known
    }

    /// A response is complete.
    ///
    /// - Returns: Whether another request may follow; else the connection is being closed.
    func responseEnded(mayGoOn: Bool, _ channel: any Channel) -> Bool {
        perform(state.responseEnded(mayGoOn: mayGoOn, at: .now()), channel)
        return state.phase == .awaitingHead
    }

    // MARK: Acting

    /// The server stops: an idle connection ends at once, producers get the time that their last
    /// answers need, and in the end nothing is left.
    private func stop(_ channel: any Channel) {
        perform(state.stop(), channel)
        guard state.phase != .closed else { return }
        known?.end(.server)
        let loop = channel.eventLoop.assumeIsolated()
        stopTimers.append(
            loop.scheduleTask(in: limits.drain - limits.answerTime) { self.known?.cut() }
        )
        stopTimers.append(
            loop.scheduleTask(in: limits.drain) { self.perform(self.state.stopNow(), channel) }
        )
    }

    private func perform(_ action: ConnectionState.Action, _ channel: any Channel) {
        switch action {
        case .none: break
        case .flush: flush(channel)
        case .closeOutput: channel.close(mode: .output, promise: nil)
        case .close(let reason):
            log(reason, channel)
            channel.close(promise: nil)
        }
        wait(channel)
    }

    /// Writes nothing behind everything else: when that is out, all is.
    private func flush(_ channel: any Channel) {
        let flushed = channel.eventLoop.makePromise(of: Void.self)
        do {
            let encoder = try channel.pipeline.syncOperations.context(
                handlerType: HTTPResponseEncoder.self
            )
            encoder.writeAndFlush(NIOAny(IOData.byteBuffer(ByteBuffer())), promise: flushed)
        } catch {
            flushed.fail(error)
        }
        flushed.futureResult.assumeIsolated().whenComplete { result in
            switch result {
            case .success: self.perform(self.state.flushed(at: .now()), channel)
            case .failure: channel.close(promise: nil)
            }
        }
    }

    /// Looks at the peer's progress in a while, if it is waited for.
    private func wait(_ channel: any Channel) {
        nextLook?.cancel()
        nextLook = state.nextLook.map { pause in
            channel.eventLoop.assumeIsolated().scheduleTask(in: pause) { self.look(channel) }
        }
    }

    private func look(_ channel: any Channel) {
        TCPProgress.bytesAcknowledged(by: channel).assumeIsolated().whenSuccess { acknowledged in
            self.perform(self.state.look(acknowledged: acknowledged ?? 0, at: .now()), channel)
        }
    }

    private func log(_ reason: ConnectionState.Reason, _ channel: any Channel) {
        let text: String
        switch reason {
        case .finished, .idle: return
        case .stalled:
            text = "it accepted nothing for \(limits.readerStall.nanoseconds / 1_000_000) ms"
        case .cutOff:
            text = "its request went on for longer than the server waits when it stops"
        }
        logger.notice(
            reason == .stalled ? "reader closed" : "connection closed",
            metadata: [
                "peer": "\(channel.remoteAddress?.description ?? "unknown")", "reason": "\(text)",
            ]
        )
    }
}

@available(*, unavailable)
extension ConnectionHandler: Sendable {}

import Logging
import NIOCore
import NIOHTTP1

/// Watches one connection from its event loop: a head that does not come, a reader that takes
/// nothing, a peer that leaves, a server that stops.
///
/// Passes all data on as it is. It stands before Hummingbird's own handler and takes the quiesce
/// event for itself: that one would close the socket right behind the response's last byte, and with
/// unread bytes of an upload in the kernel the close becomes a reset that can destroy the response.
final class ConnectionHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = Never

    private let limits: ServerConfiguration
    private let logger: Logger
    private var known: Connection?
    private var headTimer: Scheduled<Void>?
    private var stallTimer: Scheduled<Void>?
    private var progress: (acknowledged: UInt64, at: NIODeadline)?

    init(limits: ServerConfiguration, logger: Logger) {
        self.limits = limits
        self.logger = logger
    }

    /// What requests see of the connection.
    func connection(_ channel: any Channel) -> Connection {
        if let known { return known }
        let connection = Connection(channel)
        known = connection
        return connection
    }

    // MARK: Heads

    func handlerAdded(context: ChannelHandlerContext) {
        addTargetHandler(context)
        if context.channel.isActive { awaitHead(context.channel) }
    }

    /// Puts a handler behind the parser, where a server cannot be configured to have one.
    private func addTargetHandler(_ context: ChannelHandlerContext) {
        let pipeline = context.pipeline.syncOperations
        do {
            let parser = try pipeline.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
            try pipeline.addHandler(AbsoluteTargetHandler(), position: .after(parser))
        } catch {
            // Without it foreign hosts could pass as ours.
            context.close(promise: nil)
        }
    }

    func channelActive(context: ChannelHandlerContext) {
        awaitHead(context.channel)
        context.fireChannelActive()
    }

    /// A request's head must come within the time for it.
    func awaitHead(_ channel: any Channel) {
        headTimer?.cancel()
        headTimer = channel.eventLoop.scheduleTask(in: limits.requestHeadTimeout) {
            channel.close(promise: nil)
        }
    }

    /// The head has come.
    func headArrived() {
        headTimer?.cancel()
        headTimer = nil
    }

    // MARK: Readers

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        stallTimer?.cancel()
        stallTimer = nil
        progress = nil
        if !context.channel.isWritable { watchReader(context.channel) }
        context.fireChannelWritabilityChanged()
    }

    /// Looks whether the peer has taken anything since the last look, and looks again later.
    private func watchReader(_ channel: any Channel) {
        let loop = channel.eventLoop.assumeIsolated()
        let look = TCPProgress.bytesAcknowledged(by: channel).assumeIsolated()
        look.whenSuccess { acknowledged in
            guard channel.isActive, !channel.isWritable else { return }
            let now = NIODeadline.now()
            if let progress = self.progress, progress.acknowledged == acknowledged ?? 0 {
                if now - progress.at >= self.limits.readerStall {
                    self.closeStalled(channel)
                    return
                }
            } else {
                self.progress = (acknowledged ?? 0, now)
            }
            let quarter = TimeAmount.nanoseconds(self.limits.readerStall.nanoseconds / 4)
            let pause = max(TimeAmount.milliseconds(10), quarter)
            self.stallTimer?.cancel()
            self.stallTimer = loop.scheduleTask(in: pause) { self.watchReader(channel) }
        }
    }

    private func closeStalled(_ channel: any Channel) {
        logger.notice(
            "reader closed",
            metadata: [
                "peer": "\(channel.remoteAddress?.description ?? "unknown")",
                "reason":
                    "it accepted nothing for \(limits.readerStall.nanoseconds / 1_000_000) ms",
            ]
        )
        channel.close(promise: nil)
    }

    // MARK: Ends

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case is ChannelShouldQuiesceEvent:
            if connection(context.channel).stop() { context.close(promise: nil) }
        case ChannelEvent.inputClosed:
            connection(context.channel).peerIsGone.open()
            context.fireUserInboundEventTriggered(event)
        default:
            context.fireUserInboundEventTriggered(event)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        headArrived()
        stallTimer?.cancel()
        stallTimer = nil
        connection(context.channel).peerIsGone.open()
        context.fireChannelInactive()
    }
}

@available(*, unavailable)
extension ConnectionHandler: Sendable {}

import NIOCore
import NIOHTTP1

/// Settles what heads say of themselves before anybody else sees them.
///
/// Stands right behind the parser, since what it needs is not known further up.
///
/// - A target that is a whole URL: its host wins over the `Host` header (RFC 9112, 3.2.2). Later
///   handlers see the path only, and what the open-mode rules judge must be the host that the client
///   means.
/// - HTTP/1.0: such a client knows no chunks (RFC 9112, 6.1), so that it is answered in its own
///   version and the end of a response is the end of the connection.
final class HeadHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    /// Versions of the requests that are not answered yet.
    private var versions: [HTTPVersion] = []

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .head(var head) = unwrapInboundIn(data) else {
            context.fireChannelRead(data)
            return
        }
        if let host = Self.host(of: head.uri) {
            head.headers.replaceOrAdd(name: "Host", value: host)
        }
        versions.append(head.version)
        if head.version == .http1_0 {
            head.headers.replaceOrAdd(name: "Connection", value: "close")
            // There was no `100 Continue` then (RFC 9110, 10.1.1).
            head.headers.remove(name: "Expect")
        }
        context.fireChannelRead(wrapInboundOut(.head(head)))
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard case .head(var head) = unwrapOutboundIn(data), head.status.code >= 200,
            !versions.isEmpty, versions.removeFirst() == .http1_0
        else {
            context.write(data, promise: promise)
            return
        }
        head.version = .http1_0
        context.write(wrapOutboundOut(.head(head)), promise: promise)
    }

    /// What stands between the scheme and the path of a URL; `nil` when the text is none.
    static func host(of target: String) -> String? {
        guard !target.hasPrefix("/"), let scheme = target.firstRange(of: "://") else { return nil }
        return String(target[scheme.upperBound...].prefix { !"/?#".contains($0) })
    }
}

@available(*, unavailable)
extension HeadHandler: Sendable {}

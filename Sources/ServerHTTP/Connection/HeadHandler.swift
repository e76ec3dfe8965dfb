import NIOCore
import NIOHTTP1

/// Takes the host of a request from its target where that is a whole URL (RFC 9112, 3.2.2).
///
/// Stands right behind the parser: later handlers see the path of such a target only, and what the
/// open-mode rules judge must be the host that the client means.
final class AbsoluteTargetHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .head(var head) = unwrapInboundIn(data), let host = Self.host(of: head.uri)
        else {
            context.fireChannelRead(data)
            return
        }
        head.headers.replaceOrAdd(name: "Host", value: host)
        context.fireChannelRead(wrapInboundOut(.head(head)))
    }

    /// What stands between the scheme and the path of a URL; `nil` when the text is none.
    static func host(of target: String) -> String? {
        guard !target.hasPrefix("/"), let scheme = target.firstRange(of: "://") else { return nil }
        return String(target[scheme.upperBound...].prefix { !"/?#".contains($0) })
    }
}

@available(*, unavailable)
extension AbsoluteTargetHandler: Sendable {}

import NIOCore

/// How far a peer has taken what was sent to it.
///
/// What a socket buffer still holds counts as written long before a reader has it; what the peer's
/// kernel has acknowledged does not.
enum TCPProgress {
    /// `struct tcp_info` of Linux up to `tcpi_bytes_acked`, with room for what later kernels add.
    private struct Info: Sendable {
        /// 120 bytes of other facts.
        var head:
            (
                UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64,
                UInt64,
                UInt64, UInt64, UInt64, UInt64
            )
        var bytesAcknowledged: UInt64
        var tail:
            (
                UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64,
                UInt64,
                UInt64, UInt64, UInt64, UInt64, UInt64
            )
    }

    /// Bytes that the peer has acknowledged; `nil` where the kernel does not say.
    ///
    /// `TCP_INFO` is option 11 of level `IPPROTO_TCP`; `tcpi_bytes_acked` lies at byte 120 since
    /// Linux 4.1 (`linux/tcp.h`).
    static func bytesAcknowledged(by channel: any Channel) -> EventLoopFuture<UInt64?> {
        guard let provider = channel as? any SocketOptionProvider else {
            return channel.eventLoop.makeSucceededFuture(nil)
        }
        let info: EventLoopFuture<Info> = provider.unsafeGetSocketOption(
            level: .tcp,
            name: NIOBSDSocket.Option(rawValue: 11)
        )
        return info.map { Optional($0.bytesAcknowledged) }.recover { _ in nil }
    }
}

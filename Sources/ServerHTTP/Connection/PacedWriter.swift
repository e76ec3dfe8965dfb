import HummingbirdCore
import NIOCore

/// Writes the body of a long response no faster than its reader takes it.
///
/// The server library's own `write` returns before the event loop has seen the bytes, so a loop that
/// never suspends runs ahead of a reader by hundreds of megabytes. One round trip through the event
/// loop after each piece closes the gap: a channel that is full by then makes the next `write` wait.
/// What a reader who takes nothing holds is one piece, the channel's watermark (64 KiB) and the
/// kernel's buffer. ``ConnectionHandler`` closes it when it goes on taking nothing.
///
/// `@unchecked Sendable`: the library's writer is a `Sendable` structure around the connection's
/// queue of writes and only hides its type; whoever holds the writer lets one task write at a time.
struct PacedWriter: @unchecked Sendable {
    /// Larger buffers are written in pieces of this many bytes.
    static let pieceBytesMax = 256 << 10

    private let body: any ResponseBodyWriter
    private let channel: any Channel

    init(_ body: any ResponseBodyWriter, channel: any Channel) {
        self.body = body
        self.channel = channel
    }

    /// Writes a buffer and returns when its reader has room for the next; one buffer of at most
    /// ``pieceBytesMax`` is one HTTP chunk.
    ///
    /// Goes on when its task is cancelled: what is being sent is to end where its producer ends it,
    /// not in the middle of a buffer.
    ///
    /// - Throws: When the connection is gone.
    func write(_ buffer: ByteBuffer) async throws {
        var rest = buffer
        while let piece = rest.readSlice(length: min(rest.readableBytes, Self.pieceBytesMax)),
            piece.readableBytes > 0
        {
            do {
                try await put(piece)
            } catch is CancellationError {
                // Nothing of it was taken then.
                try await Task { try await put(piece) }.value
            }
            try await channel.eventLoop.submit {}.get()
        }
    }

    private func put(_ piece: ByteBuffer) async throws {
        var body = body
        try await body.write(piece)
    }

    /// Ends the body: with chunked framing, writes the zero chunk.
    func finish() async throws {
        let body = body
        try await body.finish(nil)
    }
}

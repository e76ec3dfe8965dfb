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
    private let gate = WriteGate()

    init(_ body: any ResponseBodyWriter, channel: any Channel) {
        self.body = body
        self.channel = channel
    }

    /// Lets no further buffer through.
    ///
    /// - Returns: Whether none is being written, so that the producer waits for something else and
    ///   may be cancelled; otherwise it gets ``WriteGate/Closed`` when the write is done.
    func stop() -> Bool { gate.close() }

    /// Writes a buffer and returns when its reader has room for the next; one buffer of at most
    /// ``pieceBytesMax`` is one HTTP chunk.
    ///
    /// - Throws: When the connection is gone or the task was cancelled; ``WriteGate/Closed`` after
    ///   ``stop()``.
    func write(_ buffer: ByteBuffer) async throws {
        try gate.enter()
        do {
            try await writePieces(buffer)
        } catch {
            try? gate.leave()
            throw error
        }
        try gate.leave()
    }

    private func writePieces(_ buffer: ByteBuffer) async throws {
        var body = body
        var rest = buffer
        while let piece = rest.readSlice(length: min(rest.readableBytes, Self.pieceBytesMax)),
            piece.readableBytes > 0
        {
            try await body.write(piece)
            try await channel.eventLoop.submit {}.get()
        }
    }

    /// Ends the body: with chunked framing, writes the zero chunk.
    func finish() async throws {
        let body = body
        try await body.finish(nil)
    }
}

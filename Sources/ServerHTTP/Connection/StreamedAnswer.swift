import NIOCore
import Playback

/// Sends an answer while it is made.
struct StreamedAnswer: Sendable {
    let stream: Answer.Stream
    let exchange: Exchange

    /// Sends the answer and returns at its orderly end.
    ///
    /// - Throws: When it could not be completed; the connection must be closed then.
    func send(_ writer: PacedWriter) async throws {
        if stream.isEndless {
            try await sendUntilEnded(writer)
        } else {
            try await stream.produce(writer)
        }
        try await writer.finish()
    }

    private enum Event {
        case complete
        case ending
    }

    /// Sends an answer that would go on for ever.
    ///
    /// When the server stops it is brought to the end of a fragment or of a block: its producer is
    /// cancelled and goes on to there.
    private func sendUntilEnded(_ writer: PacedWriter) async throws {
        let (connection, produce) = (exchange.connection, stream.produce)
        try await withThrowingTaskGroup(of: Event.self) { group in
            group.addTask {
                try await produce(writer)
                return .complete
            }
            group.addTask {
                await connection.ending.wait()
                return .ending
            }
            defer { group.cancelAll() }
            guard try await group.next() == .ending else { return }
            if connection.isPeerGone {
                // Ends the producer where it is.
                connection.channel.close(promise: nil)
                throw HTTPResponder.ConnectionEnded()
            }
            group.cancelAll()
            do {
                _ = try await group.next()
            } catch let error as PlaybackError where error.code == .cancelled {
                // What was given out is whole.
            }
        }
    }
}

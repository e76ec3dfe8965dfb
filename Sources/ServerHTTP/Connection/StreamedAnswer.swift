import Playback

/// Sends an answer while it is made.
struct StreamedAnswer: Sendable {
    let stream: Answer.Stream
    let exchange: Exchange

    private enum End {
        case complete
        case peerGone
        case stopping
    }

    /// Sends the answer and returns at its orderly end.
    ///
    /// - Throws: When it could not be completed; the connection must be closed then.
    func send(_ writer: PacedWriter) async throws {
        let connection = exchange.connection
        let stopping = exchange.server.stopping
        let produce = stream.produce
        try await withThrowingTaskGroup(of: End.self) { group in
            group.addTask {
                try await produce(writer)
                return .complete
            }
            if stream.endsWithPeer {
                group.addTask {
                    await connection.peerIsGone.wait()
                    return .peerGone
                }
            }
            if stream.endsWithServer {
                group.addTask {
                    await stopping.wait()
                    return .stopping
                }
            }
            defer { group.cancelAll() }
            switch try await group.next() {
            case .peerGone: throw HTTPResponder.ConnectionEnded()
            case .stopping: if writer.stop() { group.cancelAll() }
            case .complete, nil: group.cancelAll()
            }
            do {
                // Where the server stops, the producer is still to end.
                while let end = try await group.next() {
                    if end == .complete { group.cancelAll() }
                }
            } catch is WriteGate.Closed {
                // Everything before is out.
            } catch let error as PlaybackError where error.code == .cancelled {
                // It was waiting for footage.
            }
        }
        try await writer.finish()
    }
}

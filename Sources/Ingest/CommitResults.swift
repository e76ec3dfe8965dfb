import FragmentLog
import MediaModel
import Synchronization

/// Gathers what became of a session's fragments; called from the log's threads.
final class CommitResults: Sendable {
    private struct State {
        var summary = PushSummary()
        var failure: LogError?
    }

    private let state = Mutex(State())
    private let events: AsyncStream<PushEvent>.Continuation?

    init(events: AsyncStream<PushEvent>.Continuation? = nil) {
        self.events = events
    }

    /// Takes note of a fragment that is durable, or is not.
    func take(_ result: Result<FragmentRecord, LogError>) {
        switch result {
        case .success(let record):
            // Kept, but never acknowledged.
            if record.flags.contains(.incomplete) { return }
            state.withLock { state in
                state.summary.fragmentCount += 1
                state.summary.sizeBytes += record.servedLength
                state.summary.lastFragment = record.number
            }
            if let events, case .dropped = events.yield(.persisted(record)) {
                state.withLock { $0.summary.undeliveredEventCount += 1 }
            }
        case .failure(let error):
            state.withLock { state in
                if state.failure == nil { state.failure = error }
            }
        }
    }

    /// The first commit that failed.
    var failure: LogError? { state.withLock { $0.failure } }

    /// What is stored.
    var summary: PushSummary { state.withLock { $0.summary } }
}

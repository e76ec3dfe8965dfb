import Synchronization
import MediaModel

extension StreamLog {
    /// Lets nothing begin any more, ends what is open, waits until what has ended is durable.
    func close(_ reason: LogError) async {
        let open = state.withLock { state in
            state.closed = reason
            return state.open.map(\.fragment)
        }
        for fragment in open { fragment.interrupt(reason) }
        while true {
            let isIdle = state.withLock {
                $0.open.isEmpty && $0.pendingEvents.isEmpty && !$0.isCommitScheduled
            }
            if isIdle { break }
            scheduleCommit()
            // Not by the signal alone: the last pass ends without one.
            try? await Task.sleep(for: .milliseconds(2))
        }
        changes.signal()
    }
}

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
        // The last chance to say what happened while the disk was full.
        retryDeferredEvents()
        while true {
            let isOver = state.withLock { state -> Bool in
                state.isOver =
                    state.open.isEmpty && state.pendingEvents.isEmpty && state.commitRun == .idle
                return state.isOver
            }
            if isOver { break }
            scheduleCommit()
            // Not by the signal alone: the last pass ends without one.
            await withCheckedContinuation { continuation in
                // A timer of its own: the task may have been cancelled, and would not sleep.
                log.schedule(afterMilliseconds: 2) { continuation.resume() }
            }
        }
        changes.signal()
    }
}

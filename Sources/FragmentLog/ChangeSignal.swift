import Synchronization

/// Wakes any number of waiting tasks when something has changed.
///
/// A waiter names the version it has seen, so that a change between looking and waiting is never
/// missed.
final class ChangeSignal: Sendable {
    private struct State {
        var version: UInt64 = 0
        var nextWaiter: UInt64 = 0
        var waiters: [UInt64: CheckedContinuation<Void, Never>] = [:]
    }

    private let state = Mutex(State())

    /// The number of changes so far.
    var version: UInt64 { state.withLock { $0.version } }

    /// Counts a change and wakes everybody.
    func signal() {
        let waiters = state.withLock { state in
            state.version += 1
            let waiters = state.waiters
            if !waiters.isEmpty { state.waiters = [:] }
            return waiters
        }
        for (_, waiter) in waiters { waiter.resume() }
    }

    /// Returns once the version is no longer `seen`, or when the task is cancelled.
    func wait(beyond seen: UInt64) async {
        let id = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    if state.version != seen || Task.isCancelled { return true }
                    state.waiters[id] = continuation
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: id) }?.resume()
        }
    }
}

import Synchronization

/// Lets one in at a time.
final class Turnstile: Sendable {
    private let isTaken = Mutex(false)

    /// Whether the caller may go in; then it must leave.
    func enter() -> Bool {
        isTaken.withLock { isTaken in
            defer { isTaken = true }
            return !isTaken
        }
    }

    /// Makes room for the next.
    func leave() { isTaken.withLock { $0 = false } }
}

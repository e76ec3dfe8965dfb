import Synchronization

/// Ends a producer of a response between two of its buffers, never inside one.
///
/// Cancelling a task that writes would lose the buffer at hand; what the reader got would not end
/// where a piece does.
final class WriteGate: Sendable {
    /// No further buffer is wanted.
    struct Closed: Error {}

    private struct State {
        var isOpen = true
        var isWriting = false
    }

    private let state = Mutex(State())

    /// A buffer is about to be written.
    func enter() throws(Closed) {
        let isOpen = state.withLock { state in
            state.isWriting = state.isOpen
            return state.isOpen
        }
        if !isOpen { throw Closed() }
    }

    /// The buffer is written.
    func leave() throws(Closed) {
        let isOpen = state.withLock { state in
            state.isWriting = false
            return state.isOpen
        }
        if !isOpen { throw Closed() }
    }

    /// Lets nothing through any more.
    ///
    /// - Returns: Whether no buffer is being written.
    func close() -> Bool {
        state.withLock { state in
            state.isOpen = false
            return !state.isWriting
        }
    }
}

import Synchronization

/// Hands values from one task to another, one at a time: the giver waits until the taker has room.
final class Handoff<Value: Sendable>: Sendable {
    private struct State {
        var value: Value?
        var isEnded = false
        var isAbandoned = false
        var failure: (any Error)?
        var giver: CheckedContinuation<Void, Never>?
        var taker: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    /// Hands over a value, once the one before has been taken.
    ///
    /// - Throws: `CancellationError` when nobody takes any more.
    func give(_ value: Value) async throws {
        while true {
            let (isDone, isAbandoned, taker) = state.withLock { state in
                if state.isAbandoned {
                    return (false, true, CheckedContinuation<Void, Never>?.none)
                }
                guard state.value == nil else { return (false, false, nil) }
                state.value = value
                return (true, false, state.taker.take())
            }
            taker?.resume()
            if isAbandoned { throw CancellationError() }
            if isDone { return }
            await withCheckedContinuation { continuation in
                let isReady = state.withLock { state in
                    if state.value == nil || state.isAbandoned { return true }
                    state.giver = continuation
                    return false
                }
                if isReady { continuation.resume() }
            }
        }
    }

    /// Says that no more values come, and why, if that is an error.
    func end(_ failure: (any Error)?) {
        let taker = state.withLock { state in
            state.isEnded = true
            state.failure = failure
            return state.taker.take()
        }
        taker?.resume()
    }

    /// Says that no more values are taken.
    func abandon() {
        let giver = state.withLock { state in
            state.isAbandoned = true
            return state.giver.take()
        }
        giver?.resume()
    }

    /// The next value, waited for; `nil` after the last one.
    ///
    /// - Throws: The error that the giver ended with.
    func take() async throws -> Value? {
        while true {
            let (value, isEnded, failure, giver) = state.withLock { state in
                (
                    state.value.take(), state.isEnded, state.failure,
                    state.value == nil ? state.giver.take() : nil
                )
            }
            giver?.resume()
            if let value { return value }
            if let failure { throw failure }
            if isEnded { return nil }
            await withCheckedContinuation { continuation in
                let isReady = state.withLock { state in
                    if state.value != nil || state.isEnded { return true }
                    state.taker = continuation
                    return false
                }
                if isReady { continuation.resume() }
            }
        }
    }
}

import Synchronization

/// Gives up on waits that last too long, one wait at a time.
///
/// A relayed camera makes its reader wait a hundred times a second, so that there is one timer for
/// all waits, which seldom has to do anything, and not one for each.
final class SilenceLimit: Sendable {
    /// What the timer sees; apart from the class, so that the timer does not keep that alive.
    private final class Shared: Sendable {
        struct State {
            /// When the wait at hand is given up; `nil` between waits.
            var deadline: ContinuousClock.Instant?
            var cancel: (@Sendable () -> Void)?
            var isExpired = false
            var timer: Task<Void, Never>?
        }

        let state = Mutex(State())

        /// Sleeps from deadline to deadline; ends when it wakes between two waits.
        func run() async {
            while !Task.isCancelled {
                let now = ContinuousClock.now
                let (sleepsUntil, cancel) = state.withLock {
                    state -> (ContinuousClock.Instant?, (@Sendable () -> Void)?) in
                    guard let deadline = state.deadline else {
                        state.timer = nil
                        return (nil, nil)
                    }
                    if now < deadline { return (deadline, nil) }
                    state.isExpired = true
                    state.deadline = nil
                    state.timer = nil
                    return (nil, state.cancel)
                }
                cancel?()
                guard let sleepsUntil else { return }
                try? await Task.sleep(until: sleepsUntil, clock: .continuous)
            }
        }
    }

    private let shared = Shared()
    private let limit: Duration

    /// - Parameter milliseconds: How long a wait may last.
    init(milliseconds: Int64) {
        limit = .milliseconds(milliseconds)
    }

    deinit {
        shared.state.withLock { $0.timer }?.cancel()
    }

    /// Waits for something.
    ///
    /// - Parameter work: What to wait for; it must end when it is cancelled.
    /// - Returns: What the work gives; `nil` when the time was over first.
    /// - Throws: What the work throws.
    func wait<Success: Sendable, Failure: Error>(
        for work: @escaping @Sendable () async throws(Failure) -> Success
    ) async throws(Failure) -> Success? {
        let task = Task { () -> Result<Success, Failure> in
            do throws(Failure) {
                return .success(try await work())
            } catch {
                return .failure(error)
            }
        }
        let deadline = ContinuousClock.now + limit
        shared.state.withLock { [shared] state in
            state.deadline = deadline
            state.cancel = { task.cancel() }
            state.isExpired = false
            if state.timer == nil { state.timer = Task { await shared.run() } }
        }
        let result = await withTaskCancellationHandler {
            await task.value
        } onCancel: {
            task.cancel()
        }
        let isExpired = shared.state.withLock { state in
            state.deadline = nil
            state.cancel = nil
            return state.isExpired
        }
        // A result that came in the same moment is not thrown away.
        if case .failure = result, isExpired { return nil }
        return try result.get()
    }
}

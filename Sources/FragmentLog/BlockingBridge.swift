import Dispatch
import Synchronization

/// Runs async work from a thread that may block.
///
/// For threads of our own only: on the cooperative pool it would hold one of as many threads as
/// there are cores.
package enum BlockingBridge {
    private final class Box<Success: Sendable, Failure: Error>: Sendable {
        let result = Mutex<Result<Success, Failure>?>(nil)
        let done = DispatchSemaphore(value: 0)
    }

    /// Blocks until the work has ended and gives its result.
    package static func run<Success: Sendable, Failure: Error>(
        _ work: @escaping @Sendable () async throws(Failure) -> Success
    ) throws(Failure) -> Success {
        let box = Box<Success, Failure>()
        Task {
            let result: Result<Success, Failure>
            do throws(Failure) {
                result = .success(try await work())
            } catch {
                result = .failure(error)
            }
            box.result.withLock { $0 = result }
            box.done.signal()
        }
        while true {
            box.done.wait()
            if let result = box.result.withLock({ $0 }) { return try result.get() }
        }
    }
}

import NIOCore
import NIOPosix

/// A bounded pool of threads that may block on the disk.
///
/// The log has two: one whose threads append and sync, one whose threads read, so that readers do
/// not wait behind syncs.
struct BlockingPool: Sendable {
    private let pool: NIOThreadPool

    init(threads: Int) {
        pool = NIOThreadPool(numberOfThreads: threads)
        pool.start()
    }

    /// Runs work on one of the threads; order is kept only per thread.
    func submit(_ work: @escaping @Sendable () -> Void) {
        pool.submit { state in
            // After shutdown the work runs where it is: a commit that was asked for is not lost.
            _ = state
            work()
        }
    }

    /// Runs work on one of the threads and waits for it without blocking.
    func run<Success: Sendable>(
        _ work: @escaping @Sendable () throws(LogError) -> Success
    ) async throws(LogError) -> Success {
        let result: Result<Success, LogError> = await withCheckedContinuation { continuation in
            submit {
                do throws(LogError) {
                    continuation.resume(returning: .success(try work()))
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
        }
        return try result.get()
    }

    /// Ends the threads once the work handed in is done.
    func shutDown() async {
        try? await pool.shutdownGracefully()
    }
}

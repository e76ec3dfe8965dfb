import FFmpegMedia
import FragmentLog
import NIOCore
import Synchronization

/// Where a body stands: its pipe, its bytes and since when nothing came.
final class PushFeeder: Sendable {
    let pipe: BytePipe
    private let clock: any WallClock

    private struct State {
        var byteCount: UInt64 = 0
        var firstByte: Arrival?
        /// Since when the body is waited for; `nil` while the pipe is.
        var waitingSinceMs: Int64?
        var breakError: IngestError?
        var startsAgain = false
    }

    private let state: Mutex<State>
    private let worker = Latch<IngestError?>()

    init(pipe: BytePipe, clock: any WallClock) {
        self.pipe = pipe
        self.clock = clock
        state = Mutex(State(waitingSinceMs: clock.bootMilliseconds()))
    }

    /// Bytes of the body so far.
    var byteCount: UInt64 { state.withLock { $0.byteCount } }

    /// When the first byte arrived; now, before it has.
    var firstByte: Arrival {
        state.withLock { $0.firstByte }
            ?? Arrival(wall: clock.now(), bootMs: clock.bootMilliseconds())
    }

    /// Why the body ended before it was whole, if it did.
    var breakError: IngestError? { state.withLock { $0.breakError } }

    /// Says why the body ends before it is whole; only the first reason counts.
    ///
    /// The pipe is left to its one writer, which finishes it: what has arrived is still taken.
    func noteBreak(_ error: IngestError) {
        state.withLock { state in
            if state.breakError == nil { state.breakError = error }
            state.waitingSinceMs = nil
        }
    }

    /// A chunk is in.
    func received(_ chunk: ByteBuffer) {
        let arrival = Arrival(wall: clock.now(), bootMs: clock.bootMilliseconds())
        state.withLock { state in
            state.byteCount += UInt64(chunk.readableBytes)
            if state.firstByte == nil { state.firstByte = arrival }
            state.waitingSinceMs = nil
        }
    }

    /// Whether the body is whole and holds a second file that the demuxer passed over.
    var startsAgain: Bool { state.withLock { $0.startsAgain } }

    /// The body is whole: nothing is waited for any more.
    func bodyEnded(startsAgain: Bool) {
        state.withLock { state in
            state.waitingSinceMs = nil
            state.startsAgain = startsAgain
        }
    }

    /// The worker's thread is at its end, or none will be started.
    func workerEnded(_ error: IngestError?) {
        worker.set(error)
    }

    /// Waits until the worker has ended; also a cancelled task waits, unless it may give up.
    func workerResult(givesUp: Bool = false) async -> IngestError? {
        if givesUp { return await worker.wait() ?? nil }
        // Unstructured, so that cancellation does not reach it: the worker ends with its pipe.
        return await Task { await worker.wait() ?? nil }.value
    }

    /// The chunk is in the pipe and the next one is waited for.
    func waiting() {
        let now = clock.bootMilliseconds()
        state.withLock { $0.waitingSinceMs = now }
    }

    /// Ends the session when no byte came for `idleMs`; returns then, or when cancelled.
    func watch(idleMs: Int64) async -> IngestError? {
        while !Task.isCancelled {
            let now = clock.bootMilliseconds()
            let left = state.withLock { $0.waitingSinceMs.map { idleMs - (now - $0) } ?? idleMs }
            if left <= 0 {
                let error = IngestError(
                    .idle,
                    "No byte arrived for \(idleMs) ms after the first \(byteCount); the push was ended. Send continuously, or reconnect when there is media."
                )
                noteBreak(error)
                return error
            }
            try? await Task.sleep(for: .milliseconds(left))
        }
        return nil
    }
}

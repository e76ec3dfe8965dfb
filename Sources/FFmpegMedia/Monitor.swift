import Glibc

/// A value behind a lock, with a condition on which a thread may wait.
///
/// `Mutex` has no condition variable, and the demuxer's thread must sleep until bytes come.
@safe final class Monitor<Value>: Sendable {
    // All are set up once and freed with the object, so sharing the pointers is sound. The
    // value lies on the heap so that no access to it spans a wait.
    private nonisolated(unsafe) let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private nonisolated(unsafe) let condition: UnsafeMutablePointer<pthread_cond_t>
    private nonisolated(unsafe) let value: UnsafeMutablePointer<Value>

    /// Threads that sleep until their condition holds.
    private nonisolated(unsafe) let waiting: UnsafeMutablePointer<Int>

    /// A monitor of `value`, unlocked.
    init(_ value: sending Value) {
        unsafe mutex = .allocate(capacity: 1)
        unsafe condition = .allocate(capacity: 1)
        unsafe self.value = .allocate(capacity: 1)
        unsafe waiting = .allocate(capacity: 1)
        unsafe waiting.initialize(to: 0)
        unsafe pthread_mutex_init(mutex, nil)
        unsafe pthread_cond_init(condition, nil)
        unsafe self.value.initialize(to: value)
    }

    deinit {
        unsafe value.deinitialize(count: 1)
        unsafe pthread_cond_destroy(condition)
        unsafe pthread_mutex_destroy(mutex)
        unsafe value.deallocate()
        unsafe waiting.deallocate()
        unsafe condition.deallocate()
        unsafe mutex.deallocate()
    }

    /// Runs `body` alone.
    func withLock<Result, Failure: Error>(
        _ body: (inout Value) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        return try unsafe body(&value.pointee)
    }

    /// Blocks the thread until `condition` holds, then runs `body` alone.
    ///
    /// Whoever makes the condition true calls ``wakeAll()`` afterwards.
    func withLock<Result>(
        when isReady: (Value) -> Bool,
        _ body: (inout Value) -> Result
    ) -> Result {
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        while unsafe !isReady(value.pointee) {
            unsafe waiting.pointee += 1
            unsafe pthread_cond_wait(condition, mutex)
            unsafe waiting.pointee -= 1
        }
        return unsafe body(&value.pointee)
    }

    /// Whether a thread sleeps until a condition holds.
    var isThreadWaiting: Bool {
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        return unsafe waiting.pointee > 0
    }

    /// Lets waiting threads look again.
    func wakeAll() {
        unsafe pthread_cond_broadcast(condition)
    }
}

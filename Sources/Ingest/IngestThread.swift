import Glibc

/// A thread of its own for a session that blocks in a demuxer (DESIGN section 4).
enum IngestThread {
    /// Enough for libavformat with our callbacks below it; a thread that waits touches little of it.
    static let stackBytes = 512 * 1024

    private final class Body {
        let run: @Sendable () -> Void

        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    /// Starts a detached thread.
    ///
    /// - Throws: `.tooManySessions` when the system gives no thread.
    static func start(_ run: @escaping @Sendable () -> Void) throws(IngestError) {
        let attributes = UnsafeMutablePointer<pthread_attr_t>.allocate(capacity: 1)
        defer { unsafe attributes.deallocate() }
        unsafe pthread_attr_init(attributes)
        defer { unsafe pthread_attr_destroy(attributes) }
        unsafe pthread_attr_setstacksize(attributes, stackBytes)
        unsafe pthread_attr_setdetachstate(attributes, Int32(PTHREAD_CREATE_DETACHED))
        let body = unsafe Unmanaged.passRetained(Body(run))
        var thread: pthread_t = 0
        let code = unsafe pthread_create(
            &thread,
            attributes,
            { argument in
                guard let argument = unsafe argument else { return nil }
                unsafe Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            },
            body.toOpaque()
        )
        guard code == 0 else {
            unsafe body.release()
            throw IngestError(
                .tooManySessions,
                "No thread could be started for a producer session (error \(code)); raise the limit of threads or end sessions."
            )
        }
    }
}

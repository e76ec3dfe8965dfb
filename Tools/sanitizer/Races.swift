import Glibc
import Synchronization

/// Two threads that add to one number, each under a lock or not: what the sanitizer is tried on.
///
/// The lock is held so long that the other thread has to ask the kernel for it.
@main struct Races {
    private static let first = Mutex(())
    private static let second = Mutex(())
    private nonisolated(unsafe) static var sum = 0

    static func main() {
        switch CommandLine.arguments.dropFirst().first {
        case "locked": run({ addLocked(first) }, { addLocked(first) })
        case "tried": run({ addLocked(first) }, { addTrying(first) })
        case "unlocked": run({ add() }, { add() })
        case "one-sided": run({ addLocked(first) }, { add() })
        case "two-locks": run({ addLocked(first) }, { addLocked(second) })
        default: exit(2)
        }
        print(sum)
    }

    private static func add() {
        sum += 1
        usleep(100)
    }

    private static func addLocked(_ lock: borrowing Mutex<Void>) {
        lock.withLock { _ in add() }
    }

    private static func addTrying(_ lock: borrowing Mutex<Void>) {
        while lock.withLockIfAvailable({ _ in add() }) == nil {}
    }

    private static func run(
        _ one: @escaping @Sendable () -> Void,
        _ other: @escaping @Sendable () -> Void
    ) {
        let threads = [start(one), start(other)]
        for thread in threads { pthread_join(thread, nil) }
    }

    private final class Work {
        let body: @Sendable () -> Void

        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    private static func start(_ body: @escaping @Sendable () -> Void) -> pthread_t {
        var thread = pthread_t()
        let work = Unmanaged.passRetained(Work(body)).toOpaque()
        let code = pthread_create(
            &thread,
            nil,
            { argument in
                guard let argument else { return nil }
                let work = Unmanaged<Work>.fromOpaque(argument).takeRetainedValue()
                for _ in 0..<200 { work.body() }
                return nil
            },
            work
        )
        precondition(code == 0, "a thread could not be started")
        return thread
    }
}

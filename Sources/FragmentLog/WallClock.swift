import CLinux
import Glibc
package import MediaModel

/// The clocks the log reads, as a parameter, so that tests can step them.
package protocol WallClock: Sendable {
    /// The wall clock; may step either way at any time.
    func now() -> Timestamp

    /// Milliseconds since boot, sleep included; never steps (`CLOCK_BOOTTIME`).
    func bootMilliseconds() -> Int64
}

/// The machine's own clocks.
package struct SystemClock: WallClock {
    /// The clocks of this machine.
    package init() {}

    /// `CLOCK_REALTIME`.
    package func now() -> Timestamp {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(
            milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
        )
    }

    /// `CLOCK_BOOTTIME`.
    package func bootMilliseconds() -> Int64 { kl_boot_milliseconds() }
}

/// Why a stretch of a stream has no footage.
package enum GapReason: String, Sendable, CaseIterable {
    case disconnect
    case crash
    case restart
    case timestampJump = "timestamp-jump"
    case noSync = "no-sync"
    case memory
    case contention
    case refused
    case diskFull = "disk-full"
    case ioError = "io-error"
    case limit
    case overload
    case deleted
}

/// A stretch of a stream without footage, stored with its reason.
package struct Gap: Equatable, Sendable {
    /// Where the stretch begins, on `clock`.
    package var start: Timestamp

    /// Where it ends, on `clock`; equal to `start` when its length is not known.
    package var end: Timestamp

    /// The clock that `start` and `end` are on.
    package var clock: StreamClock

    /// Why there is no footage.
    package var reason: GapReason

    /// The producer session concerned; zero when none is.
    package var session: UInt64

    /// The newest fragment before the gap, if there is one.
    package var after: FragmentNumber?

    /// Samples that arrived and were not kept, where they were counted.
    package var sampleCount: UInt64

    /// Bytes that arrived and were not kept, where they were counted.
    package var byteCount: UInt64

    /// A gap from its parts.
    package init(
        start: Timestamp,
        end: Timestamp,
        clock: StreamClock,
        reason: GapReason,
        session: UInt64 = 0,
        after: FragmentNumber? = nil,
        sampleCount: UInt64 = 0,
        byteCount: UInt64 = 0
    ) {
        self.start = start
        self.end = end
        self.clock = clock
        self.reason = reason
        self.session = session
        self.after = after
        self.sampleCount = sampleCount
        self.byteCount = byteCount
    }
}

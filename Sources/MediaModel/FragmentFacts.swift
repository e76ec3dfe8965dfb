/// Facts about a fragment that readers and players must know.
package struct FragmentFlags: OptionSet, Hashable, Sendable {
    package let rawValue: UInt32

    /// A set from its stored bits; unknown bits are kept.
    package init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// Media time does not continue from the fragment before it.
    package static let discontinuity = FragmentFlags(rawValue: 1 << 0)
    /// The producer was lost before the fragment ended; never acknowledged.
    package static let incomplete = FragmentFlags(rawValue: 1 << 1)
    /// Leading samples refer to pictures before the first sync sample.
    package static let openGOP = FragmentFlags(rawValue: 1 << 2)
    /// The fragment does not start with a sync sample of the governing track.
    package static let dependent = FragmentFlags(rawValue: 1 << 3)
    /// The producer sent tags with the fragment.
    package static let tags = FragmentFlags(rawValue: 1 << 4)
    /// A decode time had to be moved to keep decode times increasing.
    package static let dtsAdjusted = FragmentFlags(rawValue: 1 << 5)

    /// The flags' names in the API, in bit order.
    package var names: [String] {
        let all: [(FragmentFlags, String)] = [
            (.discontinuity, "discontinuity"), (.incomplete, "incomplete"),
            (.openGOP, "open-gop"), (.dependent, "dependent"), (.tags, "tags"),
            (.dtsAdjusted, "dts-adjusted"),
        ]
        return all.filter { contains($0.0) }.map(\.1)
    }
}

/// Where a session's producer timestamps come from.
package enum ClockSource: UInt8, Sendable, CaseIterable {
    /// The protocol states absolute times (PutMedia ABSOLUTE).
    case absolute = 0
    /// RTCP sender reports.
    case rtcp = 1
    /// A start time the producer named (`startTimestamp`, PutMedia RELATIVE).
    case start = 2
    /// Estimated from arrival.
    case arrival = 3

    /// The name in the API and in `events.log`.
    package var name: String {
        switch self {
        case .absolute: "absolute"
        case .rtcp: "rtcp"
        case .start: "start"
        case .arrival: "arrival"
        }
    }
}

/// One of the two clocks on which fragments are timed.
package enum StreamClock: String, Sendable, CaseIterable {
    /// Capture time as the producer states it or as it is estimated for it.
    case producer
    /// This server's clock when the fragment's first byte arrived.
    case server
}

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

    /// Samples and bytes that arrived and were not kept, where they were counted.
    package var sampleCount: UInt64
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

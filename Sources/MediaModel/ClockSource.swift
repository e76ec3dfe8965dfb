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

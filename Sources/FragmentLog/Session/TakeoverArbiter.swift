/// Decides which producer session a stream listens to.
///
/// Pure: no clock, no I/O, no locks.
///
/// The newest session that sends a sample wins; one that is connected and silent takes nothing over,
/// because Kinesis Video Streams clients open their next connection seconds before they use it. Two
/// producers that fight for a stream would cut each other's fragments for ever, so after a few
/// takeovers of a session that was sending, newcomers are refused for a while.
struct TakeoverArbiter: Equatable {
    /// What a session's first sample leads to.
    enum Decision: Equatable {
        /// Nobody else is sending.
        case proceed
        /// The other session's open fragment ends at its next boundary.
        case takeOver(from: UInt64)
        /// Refused; may try again after so many milliseconds.
        case refuse(forMilliseconds: Int64)
    }

    /// The session whose samples are taken.
    private(set) var current: UInt64?
    private var recent: [Int64] = []
    private var refusingUntil = Int64.min

    let takeoversPerMinuteMax: Int
    let refusalMilliseconds: Int64

    init(takeoversPerMinuteMax: Int, refusalMilliseconds: Int64) {
        self.takeoversPerMinuteMax = takeoversPerMinuteMax
        self.refusalMilliseconds = refusalMilliseconds
    }

    /// How long newcomers are still refused, in milliseconds; 0 when they are let in.
    func refusal(at now: Int64) -> Int64 { now < refusingUntil ? refusingUntil - now : 0 }

    /// A session sends its first sample at `now` (milliseconds on any steady clock).
    ///
    /// - Parameters:
    ///   - session: The session.
    ///   - now: Milliseconds on any steady clock.
    ///   - isCurrentSending: Whether the current session sent media in the last 2 s.
    /// - Returns: What that leads to.
    mutating func firstSample(
        of session: UInt64,
        at now: Int64,
        isCurrentSending: Bool
    )
        -> Decision
    {
        guard let other = current, other != session else {
            current = session
            return .proceed
        }
        if now < refusingUntil { return .refuse(forMilliseconds: refusingUntil - now) }
        if isCurrentSending {
            recent.removeAll { now - $0 >= 60_000 }
            if recent.count >= takeoversPerMinuteMax {
                refusingUntil = now + refusalMilliseconds
                recent = []
                return .refuse(forMilliseconds: refusalMilliseconds)
            }
            recent.append(now)
        }
        current = session
        return .takeOver(from: other)
    }

    /// A session is over.
    mutating func ended(_ session: UInt64) {
        if current == session { current = nil }
    }
}

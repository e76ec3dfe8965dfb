import MediaModel

/// Whether the wall clock may be believed when it comes to deleting footage.
///
/// Pure.
///
/// A clock that was set wrong and then expired a year of footage cannot be put right again, so
/// expiry by age waits whenever the wall clock has moved by more than an hour against the time since
/// boot, and goes on only after the two have agreed for a day.
struct ClockTrust: Equatable {
    /// How far the clocks may drift apart, in milliseconds.
    static let jumpMillisecondsMax: Int64 = 3_600_000

    /// How long they must agree before expiry goes on by itself, in milliseconds.
    static let agreementMilliseconds: Int64 = 24 * 3_600_000

    /// How far the newest fragment may lie ahead of the clock at start, in milliseconds: small steps
    /// back are clamped, which leaves fragments some seconds in the future.
    static let startMillisecondsMax: Int64 = 60_000

    private var offset: Int64?
    private var agreedSince: Int64 = 0

    /// Looks at both clocks.
    ///
    /// - Returns: By how many milliseconds the wall clock jumped since the last agreement; `nil` when
    ///   it did not.
    mutating func observe(wall: Timestamp, bootMilliseconds boot: Int64) -> Int64? {
        let now = wall.milliseconds &- boot
        guard let known = offset else {
            offset = now
            agreedSince = boot
            return nil
        }
        let (jump, overflow) = now.subtractingReportingOverflow(known)
        if overflow || jump.magnitude > UInt64(Self.jumpMillisecondsMax) {
            offset = now
            agreedSince = boot
            return jump
        }
        return nil
    }

    /// Whether the clocks have agreed long enough for expiry to go on.
    func isTrusted(atBootMilliseconds boot: Int64) -> Bool {
        offset != nil && boot &- agreedSince >= Self.agreementMilliseconds
    }

    /// Why the wall clock at start cannot be believed for a stream.
    ///
    /// - Parameters:
    ///   - wall: The clock now.
    ///   - newest: The server timestamp of the stream's newest fragment.
    ///   - retentionHours: The stream's retention.
    /// - Returns: The reason; `nil` when it can be believed.
    static func doubt(wall: Timestamp, newest: Timestamp, retentionHours: Int) -> String? {
        if wall.advanced(byMilliseconds: startMillisecondsMax) < newest {
            return "clock: at start it was \(wall), before the newest fragment of \(newest)"
        }
        let age = wall.milliseconds(since: newest)
        if age > Int64(retentionHours) * 3_600_000 {
            return
                "clock: at start it was \(wall), more than the retention of \(retentionHours) h after the newest fragment of \(newest)"
        }
        return nil
    }
}

import MediaModel

/// Footage that was not kept, for one reason, until it is reported as a gap.
struct Loss: Sendable {
    let reason: GapReason
    var start: Timestamp
    var end: Timestamp
    var sampleCount: UInt64 = 0
    var byteCount: UInt64 = 0

    /// Whether nothing at all is stored from `end` to where the next fragment begins.
    var isOpenEnded = false

    init(reason: GapReason, at time: Timestamp) {
        self.reason = reason
        start = time
        end = time
    }

    mutating func add(sampleCount: Int, byteCount: Int, at time: Timestamp) {
        start = min(start, time)
        end = max(end, time)
        self.sampleCount += UInt64(sampleCount)
        self.byteCount += UInt64(byteCount)
    }

    /// As a gap on the producer clock.
    ///
    /// - Parameter next: Where the next fragment begins, if one does.
    /// - Returns: The gap, for which session and number are not filled in.
    func gap(before next: Timestamp?) -> Gap {
        var end = end
        if let next { end = isOpenEnded ? next : min(end, next) }
        return Gap(
            start: min(start, end),
            end: end,
            clock: .producer,
            reason: reason,
            sampleCount: sampleCount,
            byteCount: byteCount
        )
    }
}

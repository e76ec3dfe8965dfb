import MediaModel

/// Samples that were not kept, for one reason, until they are reported as a gap.
struct DropCount: Sendable {
    let reason: GapReason
    var start: Timestamp
    var end: Timestamp
    var sampleCount: UInt64 = 0
    var byteCount: UInt64 = 0

    init(reason: GapReason, at time: Timestamp) {
        self.reason = reason
        start = time
        end = time
    }

    mutating func add(_ sample: IngestSample, at time: Timestamp) {
        start = min(start, time)
        end = max(end, time)
        sampleCount += 1
        byteCount += UInt64(sample.size)
    }

    /// As a gap on the producer clock that ends no later than a fragment begins.
    func gap(before limit: Timestamp?) -> Gap {
        let end = limit ?? end
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

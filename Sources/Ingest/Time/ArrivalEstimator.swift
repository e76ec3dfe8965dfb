import MediaModel

/// The lower envelope of (arrival − media time) over the last minute, and the session's speed.
///
/// A sample cannot have arrived before it was captured, so the smallest difference seen is the best
/// bound for when media time zero was; delays of the network only ever raise the difference. All
/// values are milliseconds; differences are taken on the boot clock, so that steps of the wall clock
/// do not look like delays.
struct ArrivalEstimator: Sendable {
    /// How far back the envelope looks; congestion shorter than this cannot raise it.
    static let windowMs: Int64 = 60_000

    /// The shortest stretch over which a session's speed is judged.
    static let judgedMs: Int64 = 10_000

    /// The grain of the window.
    static let bucketMs: Int64 = 1000

    private struct Bucket {
        var index: Int64
        var bootMs: Int64
        var mediaMs: Int64
    }

    private struct Minimum {
        var index: Int64
        var difference: Int64
    }

    /// The first observation of each second in the window, oldest first.
    private var buckets = Ring<Bucket>()

    /// Candidates for the minimum, differences increasing from the oldest to the newest.
    private var minima = Ring<Minimum>()

    private var latestBootMs: Int64 = 0
    private var latestMediaMs: Int64 = 0

    /// The smallest (boot − media) of the window; `nil` before the first observation.
    var envelopeMs: Int64? { minima.first?.difference }

    /// Whether the session runs at 0.9 to 1.1 × real time, judged over at least ten seconds.
    var isRealTime: Bool {
        guard let first = buckets.first else { return false }
        let elapsed = latestBootMs &- first.bootMs
        guard elapsed >= Self.judgedMs else { return false }
        let (media, overflow) = latestMediaMs.subtractingReportingOverflow(first.mediaMs)
        guard !overflow else { return false }
        return Int128(media) * 10 >= Int128(elapsed) * 9
            && Int128(media) * 10 <= Int128(elapsed) * 11
    }

    /// Takes note of one sample.
    ///
    /// An observation whose difference does not fit 64 bits is ignored.
    mutating func observe(mediaMs: Int64, bootMs: Int64) {
        let (difference, overflow) = bootMs.subtractingReportingOverflow(mediaMs)
        if overflow { return }
        let boot = max(bootMs, latestBootMs)
        let index = boot.flooredDivision(by: Self.bucketMs)
        latestBootMs = boot
        latestMediaMs = buckets.isEmpty ? mediaMs : max(latestMediaMs, mediaMs)
        if buckets.last?.index != index {
            buckets.append(Bucket(index: index, bootMs: boot, mediaMs: mediaMs))
        }
        while let last = minima.last, last.difference >= difference { minima.removeLast() }
        if minima.last?.index != index {
            minima.append(Minimum(index: index, difference: difference))
        }
        let oldest = index - Self.windowMs / Self.bucketMs
        while let first = buckets.first, first.index < oldest { buckets.removeFirst() }
        while let first = minima.first, first.index < oldest { minima.removeFirst() }
    }

    /// Forgets everything, as after a step of media time.
    mutating func reset() {
        self = ArrivalEstimator()
    }
}

/// A short queue on an array; removing at the front costs no copy of the rest.
private struct Ring<Element: Sendable>: Sendable {
    private var elements: [Element] = []
    private var start = 0

    var isEmpty: Bool { start == elements.count }
    var first: Element? { isEmpty ? nil : elements[start] }
    var last: Element? { isEmpty ? nil : elements[elements.count - 1] }

    mutating func append(_ element: Element) {
        if start > 64, start > elements.count / 2 {
            elements.removeFirst(start)
            start = 0
        }
        elements.append(element)
    }

    mutating func removeFirst() { start += 1 }

    mutating func removeLast() { elements.removeLast() }
}

import MediaModel

/// Joins fragments to spans; pure.
struct SpanBuilder {
    private(set) var resolutionMilliseconds: Int64
    private let limit: Int
    private var spans: [Timeline.Span] = []
    private var isSorted = true

    /// - Parameters:
    ///   - resolutionMilliseconds: Stretches without footage up to this length do not end a span.
    ///   - limit: The most spans.
    init(resolutionMilliseconds: Int64, limit: Int) {
        self.resolutionMilliseconds = resolutionMilliseconds
        self.limit = max(1, limit)
    }

    /// Adds a fragment; they come in the order of their starts, except where a clock stepped back.
    mutating func add(from start: Timestamp, to end: Timestamp, bytes: UInt64) {
        let fragment = Timeline.Span(start: start, end: max(start, end), fragments: 1, bytes: bytes)
        if let last = spans.indices.last, touches(spans[last], fragment) {
            join(fragment, to: last)
            return
        }
        if let last = spans.last, start < last.start { isSorted = false }
        spans.append(fragment)
        // Twice as many are let in before the next look, so that looking stays cheap.
        if spans.count > 2 * limit { coarsen() }
    }

    /// The spans in order, no more than the limit.
    mutating func finish() -> [Timeline.Span] {
        coarsen()
        return spans
    }

    private mutating func coarsen() {
        if !isSorted {
            spans.sort { ($0.start, $0.end) < ($1.start, $1.end) }
            merge()
            isSorted = true
        }
        while spans.count > limit {
            let (doubled, overflow) = resolutionMilliseconds.multipliedReportingOverflow(by: 2)
            resolutionMilliseconds = overflow ? .max : doubled
            merge()
        }
    }

    private mutating func merge() {
        var kept: [Timeline.Span] = []
        for span in spans {
            if let last = kept.indices.last, touches(kept[last], span) {
                Self.join(span, to: &kept[last])
            } else {
                kept.append(span)
            }
        }
        spans = kept
    }

    private func touches(_ span: Timeline.Span, _ next: Timeline.Span) -> Bool {
        next.start.milliseconds(since: span.end) <= resolutionMilliseconds
            && span.start.milliseconds(since: next.end) <= resolutionMilliseconds
    }

    private mutating func join(_ fragment: Timeline.Span, to index: Int) {
        Self.join(fragment, to: &spans[index])
    }

    private static func join(_ next: Timeline.Span, to span: inout Timeline.Span) {
        span.start = min(span.start, next.start)
        span.end = max(span.end, next.end)
        span.fragments += next.fragments
        span.bytes += next.bytes
    }
}

import MediaModel
import Playback

/// What footage there is, as JSON.
enum TimelineShape {
    /// The stretch where it has ends, spans and gaps, with times in milliseconds as in gaps
    /// everywhere.
    static func json(
        _ timeline: Timeline,
        of range: Range<Timestamp>,
        clock: StreamClock
    ) -> JSONValue {
        let (from, to) = (range.lowerBound.milliseconds, range.upperBound.milliseconds)
        return .object([
            "by": .string(clock.rawValue),
            "fromMs": from == .min ? nil : .integer(from),
            "toMs": to == .max ? nil : .integer(to),
            "spans": .array(timeline.spans.map(span)),
            "gaps": .array(timeline.gaps.map { FragmentShape.json($0) }),
            "resolutionMs": .integer(timeline.resolutionMilliseconds),
        ])
    }

    private static func span(_ span: Timeline.Span) -> JSONValue {
        .object([
            "fromMs": .integer(span.start.milliseconds), "toMs": .integer(span.end.milliseconds),
            "fragments": .integer(Int64(span.fragments)), "bytes": .unsigned(span.bytes),
        ])
    }
}

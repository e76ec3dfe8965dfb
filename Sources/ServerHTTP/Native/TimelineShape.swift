import MediaModel
import Playback

/// What footage there is, as JSON.
enum TimelineShape {
    /// Spans and gaps, with times in milliseconds as in gaps everywhere.
    static func json(_ timeline: Timeline, clock: StreamClock) -> JSONValue {
        .object([
            "by": .string(clock.rawValue),
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

import FragmentLog
import MediaModel

/// What `now` and `earliest` mean for a stream (DESIGN section 6).
struct StreamTime: Sendable {
    /// Fragments further ahead of the clock than this do not move `now`, in milliseconds.
    private static let leadMax: Int64 = 10 * 60_000

    /// The later of the clock and the end of the newest fragment.
    let now: Timestamp

    /// Before everything that is kept.
    let earliest = Timestamp(milliseconds: .min)

    /// The time of a stream on one of its clocks.
    init(_ stream: StreamLog, clock: StreamClock, wall: Timestamp) {
        let end = stream.head?.end(on: clock) ?? wall
        now = end.milliseconds(since: wall) > Self.leadMax ? wall : max(wall, end)
    }

    /// The instant that a reference names.
    func resolve(_ reference: TimeReference) -> Timestamp {
        reference.resolved(now: now, earliest: earliest)
    }

    /// The stretch `[from, to)` of two parameters.
    ///
    /// - Throws: `.invalidArgument` when it is empty.
    func range(from: TimeReference?, to: TimeReference?) throws(APIError) -> Range<Timestamp> {
        let start = from.map(resolve) ?? earliest
        let end = to.map(resolve) ?? Timestamp(milliseconds: .max)
        guard start < end else {
            throw APIError(
                .invalidArgument,
                "The range from \(start) to \(end) is empty; 'to' must be later than 'from' (accepted are \(TimeReference.acceptedForms))."
            )
        }
        return start..<end
    }
}

import FragmentLog
import MediaModel

/// Where the next page of a list of fragments begins, as clients hand it back.
///
/// The position alone: a client repeats its other parameters. The clock is part of it, since the
/// position means nothing on the other one.
struct PageCursor: Equatable {
    let clock: StreamClock
    let position: FragmentPosition

    /// A cursor behind a position.
    init(clock: StreamClock, position: FragmentPosition) {
        self.clock = clock
        self.position = position
    }

    /// `producer.<ms>.<number>` or `server.<ms>.<number>`.
    var text: String { "\(clock.rawValue).\(position.start.milliseconds).\(position.number)" }

    /// Reads a cursor.
    ///
    /// Gives `nil` for anything that ``text`` does not write.
    init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let clock = StreamClock(rawValue: String(parts[0])),
            let milliseconds = Int64(parts[1]), let number = FragmentNumber(parts[2])
        else { return nil }
        self.clock = clock
        position = FragmentPosition(
            start: Timestamp(milliseconds: milliseconds),
            number: number
        )
    }
}

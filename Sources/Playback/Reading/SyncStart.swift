import FragmentLog
import MediaModel

/// Where reading has to begin so that the first fragment can be decoded: a group of pictures longer
/// than a fragment goes on in fragments flagged `dependent`, which are of no use without the one
/// that holds the sync sample.
enum SyncStart {
    /// How far back the sync fragment is looked for, in milliseconds of server time.
    private static let windows: [Int64] = [2 * 60_000, 15 * 60_000]

    /// The cursor start for following.
    ///
    /// - Parameters:
    ///   - stream: The stream.
    ///   - from: A time; `nil` for the live edge.
    ///   - clock: The clock that the time is on.
    /// - Returns: Where the fragment lies that holds the sync sample.
    /// - Throws: What the log throws.
    static func cursorStart(
        _ stream: StreamLog,
        from: Timestamp?,
        clock: StreamClock
    ) async throws(LogError) -> CursorStart {
        // From the beginning of time on, numbers tell what comes first.
        if from?.milliseconds == .min { return .earliest }
        let start = from.map { CursorStart.time($0, clock) } ?? .newest
        var cursor = try await stream.cursor(start)
        let before: [FragmentRecord]
        switch try await cursor.next(follow: false) {
        case .stored(let record) where record.flags.contains(.dependent):
            before = try await chain(stream, record.number, record.server, record.session)
        case .open(let open) where open.opening.flags.contains(.dependent):
            before = try await chain(stream, open.number, open.server, open.session)
        default:
            return start
        }
        guard let first = before.first else { return start }
        return .after(
            FragmentNumber(
                sequence: first.number.sequence &- 1,
                serverMilliseconds: .max,
                random: .max
            )
        )
    }

    /// The fragments that a dependent one needs: from the sync fragment to the one right before it,
    /// oldest first; empty when the sync fragment is not to be had.
    static func chain(
        _ stream: StreamLog,
        _ number: FragmentNumber,
        _ server: Timestamp,
        _ session: UInt64
    ) async throws(LogError) -> [FragmentRecord] {
        for window in windows {
            var query = FragmentQuery(
                range: server.advanced(
                    byMilliseconds: -window
                )..<server.advanced(byMilliseconds: 1),
                clock: .server
            )
            var records: [FragmentRecord] = []
            repeat {
                let page = try await stream.fragments(query)
                records += page.fragments.filter { $0.number < number && $0.session == session }
                query.after = page.next
            } while query.after != nil
            if let sync = records.lastIndex(where: { !$0.flags.contains(.dependent) }) {
                return Array(records[sync...])
            }
        }
        return []
    }
}

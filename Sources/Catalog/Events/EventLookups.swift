internal import GRDB
internal import MediaModel

/// The statements that find sessions and gaps.
enum EventLookups {
    private static let sessionColumns = [
        "stream_id", "session_id", "protocol", "peer", "clock_source", "opened_ms", "ended_ms",
    ]

    private static let gapColumns = [
        "id", "clock", "start_ms", "end_ms", "reason", "session_id", "after_sequence",
        "after_server_ms", "after_random", "sample_count", "lost_bytes",
    ]

    private static let selectSession =
        "SELECT " + sessionColumns.joined(separator: ", ") + " FROM session "

    private static let selectGap = "SELECT " + gapColumns.joined(separator: ", ") + " FROM gap "

    // ?1 stream, ?2 session
    private static let sessionByID = LookupStatement(
        name: "session by id",
        sql: selectSession + "WHERE stream_id = ?1 AND session_id = ?2"
    )

    private static let open = LookupStatement(
        name: "open sessions",
        sql: selectSession + """
            INDEXED BY session_open WHERE ended_ms IS NULL ORDER BY stream_id, session_id
            """
    )

    // ?1 stream, ?2 clock, ?3 span class, ?4 least start, ?5 range end, ?6 range start,
    // ?7 and ?8 cursor, ?9 limit
    private static let gapsByTime = LookupStatement(
        name: "gaps by time",
        sql: selectGap + """
            INDEXED BY gap_by_time
            WHERE stream_id = ?1 AND clock = ?2 AND span_class = ?3
                AND start_ms >= ?4 AND start_ms < ?5 AND (end_ms > ?6 OR start_ms >= ?6)
                AND (start_ms, id) > (?7, ?8)
            ORDER BY start_ms, id LIMIT ?9
            """
    )

    static let statements = [sessionByID, open, gapsByTime]

    static func session(
        _ db: Database,
        _ id: UInt64,
        of stream: StreamID
    ) throws -> SessionRow? {
        try sessionByID.rows(
            db,
            [Int64(bitPattern: stream.rawValue), StoredInteger.clamped(id)],
            decodeSession
        ).first
    }

    static func openSessions(_ db: Database) throws -> [SessionRow] {
        try open.rows(db, [], decodeSession)
    }

    static func gaps(
        _ db: Database,
        of stream: StreamID,
        on clock: StreamClock,
        in range: Range<Timestamp>,
        after cursor: GapRow?,
        limit: Int
    ) throws -> [GapRow] {
        if range.isEmpty || limit <= 0 { return [] }
        let cursorStart = cursor?.gap.start.milliseconds ?? .min
        var found: [GapRow] = []
        // Each class is read from its greatest length before the range, so that one long gap does
        // not make the reading of all others long.
        let limits = CatalogSchema.gapSpanLimitsMilliseconds.map(Optional.some) + [nil]
        for (spanClass, longest) in limits.enumerated() {
            let leastStart = longest.map { range.lowerBound.advanced(byMilliseconds: -$0) }
            found += try gapsByTime.rows(
                db,
                [
                    Int64(bitPattern: stream.rawValue), EventWrites.stored(clock),
                    Int64(spanClass), max(leastStart?.milliseconds ?? .min, cursorStart),
                    range.upperBound.milliseconds, range.lowerBound.milliseconds,
                    cursorStart, cursor?.id ?? -1, Int64(limit),
                ],
                decodeGap
            )
        }
        found.sort { ($0.gap.start, $0.id) < ($1.gap.start, $1.id) }
        return Array(found.prefix(limit))
    }

    private static func decodeSession(_ row: Row) throws -> SessionRow {
        let reader = ColumnReader(row: row, table: "session", columns: sessionColumns)
        return SessionRow(
            stream: StreamID(rawValue: UInt64(bitPattern: try reader.integer(0))),
            id: try reader.unsigned(1),
            protocolName: try reader.text(2),
            peer: try reader.text(3),
            clockSource: try reader.known(
                UInt8(exactly: try reader.integer(4)).flatMap(ClockSource.init(rawValue:)),
                4
            ),
            opened: try reader.timestamp(5),
            ended: try reader.optionalInteger(6).map(Timestamp.init(milliseconds:))
        )
    }

    private static func decodeGap(_ row: Row) throws -> GapRow {
        let reader = ColumnReader(row: row, table: "gap", columns: gapColumns)
        let clock = try reader.integer(1)
        return GapRow(
            id: try reader.integer(0),
            gap: Gap(
                start: try reader.timestamp(2),
                end: try reader.timestamp(3),
                clock: try reader.known(
                    StreamClock.allCases.first { EventWrites.stored($0) == clock },
                    1
                ),
                reason: try reader.known(GapReason(rawValue: try reader.text(4)), 4),
                session: try reader.unsigned(5),
                after: try reader.optionalNumber(6),
                sampleCount: try reader.unsigned(9),
                byteCount: try reader.unsigned(10)
            )
        )
    }
}

internal import GRDB
internal import MediaModel

/// The statements that find log segments.
///
/// None reads more than an index range of the answer's size, but for the walk through a long range
/// of the server's clock, which passes over what is older than the range as well. `INDEXED BY` pins the plan:
/// an index that no longer fits fails loudly instead of scanning.
enum SegmentLookups {
    private static let columns = [
        "stream_id", "first_sequence", "first_server_ms", "first_random", "first_ordinal", "kind",
        "state", "header_bytes", "producer_start_ms", "server_start_ms", "fragment_count",
        "last_sequence", "last_server_ms", "last_random", "producer_end_ms", "server_end_ms",
        "byte_count", "durable_bytes",
    ]

    private static let select = "SELECT " + columns.joined(separator: ", ") + " FROM log_segment "

    // ?1 stream, ?2 is_wide, ?3 least start, ?4 range end, ?5 range start, ?6 and ?7 cursor, ?8 limit
    private static let byProducer = LookupStatement(
        name: "segments by producer time",
        sql: select + """
            INDEXED BY log_segment_by_producer
            WHERE stream_id = ?1 AND is_wide = ?2
                AND producer_start_ms >= ?3 AND producer_start_ms < ?4
                AND (producer_end_ms >= ?5 OR producer_end_ms IS NULL)
                AND (producer_start_ms, first_sequence) > (?6, ?7) AND state <> 3
            ORDER BY producer_start_ms, first_sequence LIMIT ?8
            """
    )

    // ?1 stream, ?2 is_wide, ?3 least start, ?4 range end, ?5 range start, ?6 cursor, ?7 limit
    private static let byServer = LookupStatement(
        name: "segments by server time",
        sql: select + """
            INDEXED BY log_segment_by_server
            WHERE stream_id = ?1 AND is_wide = ?2
                AND server_start_ms >= ?3 AND server_start_ms < ?4
                AND (server_end_ms >= ?5 OR server_end_ms IS NULL)
                AND first_sequence > ?6 AND state <> 3
            ORDER BY first_sequence LIMIT ?7
            """
    )

    // ?1 stream, ?2 cursor, ?3 range end, ?4 range start, ?5 limit
    private static let walkingServer = LookupStatement(
        name: "segments by number in a long range of server time",
        sql: select + """
            WHERE stream_id = ?1 AND first_sequence > ?2 AND server_start_ms < ?3
                AND (server_end_ms >= ?4 OR server_end_ms IS NULL) AND state <> 3
            ORDER BY first_sequence LIMIT ?5
            """
    )

    /// From this length on a range of the server's clock is walked in the order of numbers.
    ///
    /// Numbers follow the server's clock but for its steps, so that a page of a long range lies
    /// together there, while by time all of the range would have to be sorted for every page.
    private static let walkedMilliseconds: Int64 = 24 * 3_600_000

    // ?1 stream, ?2 to ?4 number
    private static let containingNumber = LookupStatement(
        name: "segment containing a number",
        sql: select + """
            WHERE stream_id = ?1 AND first_sequence <= ?2
                AND (first_sequence, first_server_ms, first_random) <= (?2, ?3, ?4)
            ORDER BY first_sequence DESC LIMIT 1
            """
    )

    // ?1 stream, ?2 to ?4 number, ?5 limit
    private static let afterNumber = LookupStatement(
        name: "segments after a number",
        sql: select + """
            WHERE stream_id = ?1 AND first_sequence >= ?2
                AND (first_sequence, first_server_ms, first_random) > (?2, ?3, ?4) AND state <> 3
            ORDER BY first_sequence LIMIT ?5
            """
    )

    // ?1 stream, ?2 ordinal
    private static let containingOrdinal = LookupStatement(
        name: "segment containing an ordinal",
        sql: select + """
            INDEXED BY log_segment_by_ordinal
            WHERE stream_id = ?1 AND first_ordinal <= ?2
            ORDER BY first_ordinal DESC, first_sequence DESC LIMIT 1
            """
    )

    // ?1 stream
    private static let lowest = LookupStatement(
        name: "first segment",
        sql: select + "WHERE stream_id = ?1 AND state <> 3 ORDER BY first_sequence LIMIT 1"
    )

    // ?1 stream
    private static let highest = LookupStatement(
        name: "last segment",
        sql: select + "WHERE stream_id = ?1 AND state <> 3 ORDER BY first_sequence DESC LIMIT 1"
    )

    // ?1 stream
    private static let highestClosed = LookupStatement(
        name: "last closed segment",
        sql: select + """
            WHERE stream_id = ?1 AND state IN (1, 2) AND fragment_count IS NOT NULL
            ORDER BY first_sequence DESC LIMIT 1
            """
    )

    // ?1 state
    private static let inState = LookupStatement(
        name: "segments in a state other than sealed",
        sql: select + """
            INDEXED BY log_segment_unsettled
            WHERE state = ?1 AND state <> 1 ORDER BY stream_id, first_sequence
            """
    )

    // ?1 stream, ?2 server time, ?3 limit
    private static let byExpiry = LookupStatement(
        name: "expired segments",
        sql: select + """
            INDEXED BY log_segment_by_expiry
            WHERE stream_id = ?1 AND state <> 3 AND server_end_ms < ?2
            ORDER BY server_end_ms, first_sequence LIMIT ?3
            """
    )

    static let statements = [
        byProducer, byServer, walkingServer, containingNumber, afterNumber, containingOrdinal,
        lowest, highest,
        highestClosed, inState, byExpiry,
    ]

    static func segments(
        _ db: Database,
        of stream: StreamID,
        producerRange range: Range<Timestamp>,
        after cursor: SegmentCursor?,
        limit: Int
    ) throws -> [SegmentRow] {
        if range.isEmpty || limit <= 0 { return [] }
        let cursorStart = cursor?.producerStart.milliseconds ?? .min
        let cursorSequence = cursor.map { StoredInteger.clamped($0.first.sequence) } ?? -1
        var found: [SegmentRow] = []
        for (isWide, leastStart) in leastStarts(range) {
            found += try byProducer.rows(
                db,
                [
                    key(stream), isWide, max(leastStart, cursorStart),
                    range.upperBound.milliseconds, range.lowerBound.milliseconds,
                    cursorStart, cursorSequence, Int64(limit),
                ],
                decode
            )
        }
        found.sort { ($0.producerStart, $0.first) < ($1.producerStart, $1.first) }
        return Array(found.prefix(limit))
    }

    static func segments(
        _ db: Database,
        of stream: StreamID,
        serverRange range: Range<Timestamp>,
        after number: FragmentNumber?,
        limit: Int
    ) throws -> [SegmentRow] {
        if range.isEmpty || limit <= 0 { return [] }
        let cursor = number.map { StoredInteger.clamped($0.sequence) } ?? -1
        if range.upperBound.milliseconds(since: range.lowerBound) > walkedMilliseconds {
            return try walkingServer.rows(
                db,
                [
                    key(stream), cursor, range.upperBound.milliseconds,
                    range.lowerBound.milliseconds, Int64(limit),
                ],
                decode
            )
        }
        var found: [SegmentRow] = []
        for (isWide, leastStart) in leastStarts(range) {
            found += try byServer.rows(
                db,
                [
                    key(stream), isWide, leastStart, range.upperBound.milliseconds,
                    range.lowerBound.milliseconds, cursor, Int64(limit),
                ],
                decode
            )
        }
        found.sort { $0.first < $1.first }
        return Array(found.prefix(limit))
    }

    static func segment(
        _ db: Database,
        of stream: StreamID,
        containing number: FragmentNumber
    ) throws -> SegmentRow? {
        let stored = StoredNumber(clamping: number)
        return try visible(
            containingNumber.rows(
                db,
                [key(stream), stored.sequence, stored.serverMilliseconds, stored.random],
                decode
            )
        )
    }

    static func segment(
        _ db: Database,
        of stream: StreamID,
        containingOrdinal ordinal: UInt64
    ) throws -> SegmentRow? {
        try visible(
            containingOrdinal.rows(db, [key(stream), StoredInteger.clamped(ordinal)], decode)
        )
    }

    static func segments(
        _ db: Database,
        of stream: StreamID,
        after number: FragmentNumber?,
        limit: Int
    ) throws -> [SegmentRow] {
        let stored = number.map(StoredNumber.init(clamping:))
        return try afterNumber.rows(
            db,
            [
                key(stream), stored?.sequence ?? -1, stored?.serverMilliseconds ?? 0,
                stored?.random ?? 0, Int64(max(0, limit)),
            ],
            decode
        )
    }

    static func first(_ db: Database, of stream: StreamID) throws -> SegmentRow? {
        try lowest.rows(db, [key(stream)], decode).first
    }

    static func last(_ db: Database, of stream: StreamID) throws -> SegmentRow? {
        try highest.rows(db, [key(stream)], decode).first
    }

    static func lastClosed(_ db: Database, of stream: StreamID) throws -> SegmentRow? {
        try highestClosed.rows(db, [key(stream)], decode).first
    }

    static func segments(_ db: Database, in state: SegmentState) throws -> [SegmentRow] {
        try inState.rows(db, [state.rawValue], decode)
    }

    static func expired(
        _ db: Database,
        of stream: StreamID,
        serverEndBefore time: Timestamp,
        limit: Int
    ) throws -> [SegmentRow] {
        try byExpiry.rows(db, [key(stream), time.milliseconds, Int64(max(0, limit))], decode)
            .sorted { $0.first < $1.first }
    }

    /// Where to begin in the index: for segments of the usual length an hour before the range, for
    /// the few others at its start.
    private static func leastStarts(
        _ range: Range<Timestamp>
    ) -> [(isWide: Int64, leastStart: Int64)] {
        let earlier = range.lowerBound.advanced(
            byMilliseconds: -CatalogSchema.wideSegmentMilliseconds
        )
        return [(0, earlier.milliseconds), (1, .min)]
    }

    private static func key(_ stream: StreamID) -> Int64 { Int64(bitPattern: stream.rawValue) }

    private static func visible(_ rows: [SegmentRow]) -> SegmentRow? {
        rows.first { $0.state != .deleting }
    }

    private static func decode(_ row: Row) throws -> SegmentRow {
        let reader = ColumnReader(row: row, table: "log_segment", columns: columns)
        var extent: SegmentExtent?
        if let fragmentCount = try reader.optionalUnsigned(10) {
            extent = SegmentExtent(
                fragmentCount: fragmentCount,
                last: try reader.number(11),
                producerEnd: try reader.timestamp(14),
                serverEnd: try reader.timestamp(15),
                byteCount: try reader.unsigned(16)
            )
        }
        return SegmentRow(
            stream: StreamID(rawValue: UInt64(bitPattern: try reader.integer(0))),
            first: try reader.number(1),
            firstOrdinal: try reader.unsigned(4),
            kind: try reader.known(SegmentKind(rawValue: try reader.integer(5)), 5),
            state: try reader.known(SegmentState(rawValue: try reader.integer(6)), 6),
            headerByteCount: try reader.unsigned(7),
            producerStart: try reader.timestamp(8),
            serverStart: try reader.timestamp(9),
            extent: extent,
            durableByteCount: try reader.optionalUnsigned(17)
        )
    }
}

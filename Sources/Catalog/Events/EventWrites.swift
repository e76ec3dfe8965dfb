internal import GRDB
internal import MediaModel

/// The statements that take `events.log` into the catalog.
enum EventWrites {
    /// Takes in the records between two offsets of `events.log`, and moves the offset with them.
    static func record(
        _ db: Database,
        _ stream: StreamID,
        _ events: [CatalogEvent],
        from start: UInt64,
        upTo end: UInt64,
        owner: OwnerEpoch
    ) throws {
        try StreamWrites.checkOwner(db, stream, owner)
        guard let row = try StreamLookups.stream(db, stream), row.eventsOffset == start,
            start <= end
        else {
            let found = try StreamLookups.stream(db, stream)?.eventsOffset ?? 0
            throw CatalogError(
                code: .conflict,
                message: "The catalog holds the events of stream \(stream) up to byte \(found) "
                    + "of 'events.log'; those of bytes \(start) to \(end) do not follow."
            )
        }
        for event in events { try record(db, stream, event) }
        try db.cachedStatement(sql: "UPDATE stream SET events_offset_bytes = ? WHERE id = ?")
            .execute(arguments: [try StoredInteger.checked(end, "events offset"), key(stream)])
    }

    /// Forgets all sessions and gaps of a stream and takes them in anew from the start.
    static func replace(
        _ db: Database,
        _ stream: StreamID,
        _ events: [CatalogEvent],
        upTo end: UInt64,
        owner: OwnerEpoch
    ) throws {
        try StreamWrites.checkOwner(db, stream, owner)
        for table in ["gap", "session"] {
            try db.execute(
                sql: "DELETE FROM \(table) WHERE stream_id = ?",
                arguments: [key(stream)]
            )
        }
        try db.execute(
            sql: """
                UPDATE stream SET events_offset_bytes = 0, session_id_max = NULL WHERE id = ?
                """,
            arguments: [key(stream)]
        )
        try record(db, stream, events, from: 0, upTo: end, owner: owner)
    }

    /// Deletes gaps and ended sessions that lie before a server time.
    static func expire(
        _ db: Database,
        _ stream: StreamID,
        before time: Timestamp,
        owner: OwnerEpoch
    ) throws {
        try StreamWrites.checkOwner(db, stream, owner)
        try db.cachedStatement(
            sql: """
                DELETE FROM gap INDEXED BY gap_by_expiry WHERE stream_id = ? AND expiry_ms < ?
                """
        ).execute(arguments: [key(stream), time.milliseconds])
        try db.cachedStatement(
            sql: """
                DELETE FROM session INDEXED BY session_by_end
                WHERE stream_id = ? AND ended_ms < ?
                """
        ).execute(arguments: [key(stream), time.milliseconds])
    }

    /// A clock as the schema numbers it.
    static func stored(_ clock: StreamClock) -> Int64 {
        switch clock {
        case .producer: 0
        case .server: 1
        }
    }

    private static func record(
        _ db: Database,
        _ stream: StreamID,
        _ event: CatalogEvent
    ) throws {
        switch event {
        case .sessionOpened(let id, let protocolName, let peer, let clockSource, let opened):
            let session = try StoredInteger.checked(id, "session id")
            try db.cachedStatement(
                sql: """
                    INSERT INTO session
                        (stream_id, session_id, protocol, peer, clock_source, opened_ms)
                    VALUES (?, ?, ?, ?, ?, ?)
                    """
            ).execute(arguments: [
                key(stream), session, protocolName, peer, Int64(clockSource.rawValue),
                opened.milliseconds,
            ])
            try db.cachedStatement(
                sql: """
                    UPDATE stream SET session_id_max = max(ifnull(session_id_max, 0), ?)
                    WHERE id = ?
                    """
            ).execute(arguments: [session, key(stream)])
        case .sessionEnded(let id, let ended):
            try db.cachedStatement(
                sql: "UPDATE session SET ended_ms = ? WHERE stream_id = ? AND session_id = ?"
            ).execute(arguments: [ended.milliseconds, key(stream), StoredInteger.clamped(id)])
        case .gap(let gap):
            try insert(db, stream, gap)
        }
    }

    private static func insert(_ db: Database, _ stream: StreamID, _ gap: Gap) throws {
        guard gap.start <= gap.end else {
            throw CatalogError(
                code: .invalidValue,
                message: "A gap of stream \(stream) ends at \(gap.end), before its start "
                    + "\(gap.start); nothing was written."
            )
        }
        let after = try gap.after.map(StoredNumber.init(checking:))
        let values: [(any DatabaseValueConvertible)?] = [
            key(stream), stored(gap.clock), gap.start.milliseconds, gap.end.milliseconds,
            gap.reason.rawValue, try StoredInteger.checked(gap.session, "session id"),
            after?.sequence, after?.serverMilliseconds, after?.random,
            try StoredInteger.checked(gap.sampleCount, "sample count"),
            try StoredInteger.checked(gap.byteCount, "byte count"), expiry(of: gap, after),
            spanClass(of: gap),
        ]
        try db.cachedStatement(
            sql: """
                INSERT INTO gap (stream_id, clock, start_ms, end_ms, reason, session_id,
                    after_sequence, after_server_ms, after_random, sample_count, lost_bytes,
                    expiry_ms, span_class)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """
        ).execute(arguments: StatementArguments(values))
    }

    /// The server time that retention has to pass before a gap goes.
    ///
    /// A producer's clock may stand at 1970; the fragment before the gap then tells the server time.
    private static func expiry(of gap: Gap, _ after: StoredNumber?) -> Int64 {
        switch gap.clock {
        case .server: gap.end.milliseconds
        case .producer: max(gap.end.milliseconds, after?.serverMilliseconds ?? .min)
        }
    }

    /// Which lengths a gap is looked up with.
    private static func spanClass(of gap: Gap) -> Int64 {
        let length = gap.end.milliseconds(since: gap.start)
        let limits = CatalogSchema.gapSpanLimitsMilliseconds
        return Int64(limits.firstIndex { length <= $0 } ?? limits.count)
    }

    private static func key(_ stream: StreamID) -> Int64 { Int64(bitPattern: stream.rawValue) }
}

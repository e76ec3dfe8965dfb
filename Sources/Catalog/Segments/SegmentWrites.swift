internal import GRDB
package import MediaModel

/// The statements that change log segments, run inside a transaction that checked the owner.
enum SegmentWrites {
    static func apply(
        _ db: Database,
        _ changes: [SegmentChange],
        owner: OwnerEpoch
    ) throws {
        var checked: Set<StreamID> = []
        for change in changes {
            if checked.insert(change.stream).inserted {
                try StreamWrites.checkOwner(db, change.stream, owner)
            }
            try apply(db, change)
        }
    }

    private static func apply(_ db: Database, _ change: SegmentChange) throws {
        switch change {
        case .insert(let row):
            try insert(db, row)
        case .seal(let stream, let first, let extent):
            try close(db, stream, first, .sealed, extent, nil)
        case .markSuspect(let stream, let first, let durableByteCount, let extent):
            try close(db, stream, first, .suspect, extent, durableByteCount)
        case .markDeleting(let stream, let numbers):
            for number in numbers { try markDeleting(db, stream, number) }
        case .remove(let stream, let numbers):
            for number in numbers { try remove(db, stream, number) }
        }
    }

    private static func insert(_ db: Database, _ row: SegmentRow) throws {
        let first = try StoredNumber(checking: row.first)
        var values: [Int64?] = [
            Int64(bitPattern: row.stream.rawValue), first.sequence, first.serverMilliseconds,
            first.random, try StoredInteger.checked(row.firstOrdinal, "ordinal"),
            row.kind.rawValue, row.state.rawValue,
            try StoredInteger.checked(row.headerByteCount, "header length"),
            row.producerStart.milliseconds, row.serverStart.milliseconds,
        ]
        values += try stored(row.extent)
        values += [try row.durableByteCount.map(durable), isWide(row)]
        try db.cachedStatement(
            sql: """
                INSERT INTO log_segment (
                    stream_id, first_sequence, first_server_ms, first_random, first_ordinal, kind,
                    state, header_bytes, producer_start_ms, server_start_ms, fragment_count,
                    last_sequence, last_server_ms, last_random, producer_end_ms, server_end_ms,
                    byte_count, durable_bytes, is_wide
                ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """
        ).execute(arguments: StatementArguments(values))
    }

    private static func close(
        _ db: Database,
        _ stream: StreamID,
        _ first: FragmentNumber,
        _ state: SegmentState,
        _ extent: SegmentExtent?,
        _ durableByteCount: UInt64?
    ) throws {
        var values: [Int64?] = [state.rawValue]
        values += try stored(extent)
        values.append(try durableByteCount.map(durable))
        values += try key(stream, first)
        try db.cachedStatement(
            sql: """
                UPDATE log_segment SET state = ?1, fragment_count = ?2, last_sequence = ?3,
                    last_server_ms = ?4, last_random = ?5, producer_end_ms = ?6,
                    server_end_ms = ?7, byte_count = ?8, durable_bytes = ?9, is_wide = CASE
                        WHEN ?6 - producer_start_ms <= \(CatalogSchema.wideSegmentMilliseconds)
                            AND ?7 - server_start_ms <= \(CatalogSchema.wideSegmentMilliseconds)
                        THEN 0 ELSE 1 END
                WHERE stream_id = ?10 AND first_sequence = ?11 AND first_server_ms = ?12
                    AND first_random = ?13 AND state = 0
                """
        ).execute(arguments: StatementArguments(values))
        if db.changesCount != 1 {
            throw try refusal(db, stream, first, "is not open, so it cannot be closed")
        }
    }

    private static func markDeleting(
        _ db: Database,
        _ stream: StreamID,
        _ first: FragmentNumber
    ) throws {
        try db.cachedStatement(
            sql: """
                UPDATE log_segment SET state = 3 WHERE stream_id = ? AND first_sequence = ?
                    AND first_server_ms = ? AND first_random = ?
                """
        ).execute(arguments: StatementArguments(try key(stream, first)))
        if db.changesCount != 1 { throw try refusal(db, stream, first, "cannot be marked") }
    }

    private static func remove(
        _ db: Database,
        _ stream: StreamID,
        _ first: FragmentNumber
    ) throws {
        try db.cachedStatement(
            sql: """
                DELETE FROM log_segment WHERE stream_id = ? AND first_sequence = ?
                    AND first_server_ms = ? AND first_random = ?
                """
        ).execute(arguments: StatementArguments(try key(stream, first)))
    }

    private static func stored(_ extent: SegmentExtent?) throws(CatalogError) -> [Int64?] {
        guard let extent else { return [nil, nil, nil, nil, nil, nil, nil] }
        let last = try StoredNumber(checking: extent.last)
        return [
            try StoredInteger.checked(extent.fragmentCount, "fragment count"), last.sequence,
            last.serverMilliseconds, last.random, extent.producerEnd.milliseconds,
            extent.serverEnd.milliseconds,
            try StoredInteger.checked(extent.byteCount, "log segment length"),
        ]
    }

    /// Whether lookups by time have to look for a log segment apart.
    private static func isWide(_ row: SegmentRow) -> Int64 {
        guard let extent = row.extent else { return 1 }
        let longest = max(
            extent.producerEnd.milliseconds(since: row.producerStart),
            extent.serverEnd.milliseconds(since: row.serverStart)
        )
        return longest <= CatalogSchema.wideSegmentMilliseconds ? 0 : 1
    }

    private static func durable(_ byteCount: UInt64) throws(CatalogError) -> Int64 {
        try StoredInteger.checked(byteCount, "durable length")
    }

    private static func key(
        _ stream: StreamID,
        _ first: FragmentNumber
    ) throws(CatalogError) -> [Int64?] {
        let stored = try StoredNumber(checking: first)
        return [
            Int64(bitPattern: stream.rawValue), stored.sequence, stored.serverMilliseconds,
            stored.random,
        ]
    }

    /// Why a change met no row it may change.
    private static func refusal(
        _ db: Database,
        _ stream: StreamID,
        _ first: FragmentNumber,
        _ state: String
    ) throws -> CatalogError {
        let found = try Int.fetchOne(
            db,
            sql: "SELECT state FROM log_segment WHERE stream_id = ? AND first_sequence = ?",
            arguments: [Int64(bitPattern: stream.rawValue), Int64(clamping: first.sequence)]
        )
        guard let found else {
            return CatalogError(
                code: .unknownSegment,
                message: "The catalog has no log segment \(first) of stream \(stream); nothing "
                    + "was written. 'kinelog verify' compares the catalog with the files."
            )
        }
        return CatalogError(
            code: .conflict,
            message: "Log segment \(first) of stream \(stream) \(state) (state \(found)); "
                + "nothing was written."
        )
    }
}

extension SegmentChange {
    /// The stream that the change concerns.
    package var stream: StreamID {
        switch self {
        case .insert(let row): row.stream
        case .seal(let stream, _, _), .markSuspect(let stream, _, _, _),
            .markDeleting(let stream, _), .remove(let stream, _):
            stream
        }
    }
}

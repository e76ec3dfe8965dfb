internal import GRDB
internal import MediaModel

/// The statements that find streams.
enum StreamLookups {
    private static let columns = [
        "id", "name", "owner_epoch", "events_offset_bytes", "session_id_max", "segment_count",
        "fragment_count", "segment_bytes",
    ]

    private static let select = "SELECT " + columns.joined(separator: ", ") + " FROM stream "

    // ?1 stream
    private static let byID = LookupStatement(
        name: "stream by identity",
        sql: select + "WHERE id = ?1"
    )

    // ?1 name
    private static let byName = LookupStatement(
        name: "stream by name",
        sql: select + "WHERE name = ?1"
    )

    private static let allByName = select + "ORDER BY name"

    static let statements = [byID, byName]

    static func stream(_ db: Database, _ id: StreamID) throws -> StreamRow? {
        try byID.rows(db, [Int64(bitPattern: id.rawValue)], decode).first
    }

    static func stream(_ db: Database, named name: StreamName) throws -> StreamRow? {
        let statement = try db.cachedStatement(sql: byName.sql)
        return try Row.fetchOne(statement, arguments: [name.text]).map(decode)
    }

    /// Every stream, by name: the one lookup that reads a whole table.
    static func streams(_ db: Database) throws -> [StreamRow] {
        try Row.fetchAll(db, sql: allByName).map(decode)
    }

    private static func decode(_ row: Row) throws -> StreamRow {
        let reader = ColumnReader(row: row, table: "stream", columns: columns)
        return StreamRow(
            id: StreamID(rawValue: UInt64(bitPattern: try reader.integer(0))),
            name: try reader.known(StreamName(try reader.text(1)), 1),
            owner: OwnerEpoch(rawValue: try reader.integer(2)),
            eventsOffset: try reader.unsigned(3),
            maxSessionID: try reader.optionalUnsigned(4),
            totals: SegmentTotals(
                segmentCount: try reader.unsigned(5),
                fragmentCount: try reader.unsigned(6),
                byteCount: try reader.unsigned(7)
            )
        )
    }
}

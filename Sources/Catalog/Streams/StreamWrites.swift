internal import GRDB
internal import MediaModel

/// The statements that change streams.
enum StreamWrites {
    /// How many rows one transaction of a removal deletes, so that other streams' commits need not
    /// wait long.
    private static let removalBatchCount = 2000

    /// Throws unless the stream exists and `owner` owns it.
    static func checkOwner(_ db: Database, _ stream: StreamID, _ owner: OwnerEpoch) throws {
        let statement = try db.cachedStatement(sql: "SELECT owner_epoch FROM stream WHERE id = ?")
        let found = try Row.fetchOne(
            statement,
            arguments: [Int64(bitPattern: stream.rawValue)]
        ).map { try ColumnReader(row: $0, table: "stream", columns: ["owner_epoch"]).integer(0) }
        guard let found else {
            throw CatalogError(
                code: .unknownStream,
                message: "The catalog has no stream \(stream); nothing was written."
            )
        }
        if found != owner.rawValue {
            throw CatalogError(
                code: .staleOwner,
                message: "Stream \(stream) belongs to owner epoch \(found), the write came from "
                    + "\(owner); nothing was written."
            )
        }
    }

    static func insert(
        _ db: Database,
        _ id: StreamID,
        _ name: StreamName,
        _ owner: OwnerEpoch
    ) throws {
        let key = Int64(bitPattern: id.rawValue)
        let taken = try Int64.fetchOne(
            db,
            sql: "SELECT id FROM stream WHERE id = ? OR name = ?",
            arguments: [key, name.text]
        )
        if let taken {
            let other = StreamID(rawValue: UInt64(bitPattern: taken))
            throw CatalogError(
                code: .conflict,
                message: "Stream '\(name)' (\(id)) cannot be added: the catalog has \(other) "
                    + "under that name or identity."
            )
        }
        try db.execute(
            sql: "INSERT INTO stream (id, name, owner_epoch) VALUES (?, ?, ?)",
            arguments: [key, name.text, owner.rawValue]
        )
    }

    /// Deletes some of what belongs to a stream, at last the stream itself.
    ///
    /// - Returns: Whether nothing of it is left.
    static func removeSome(_ db: Database, _ id: StreamID, _ owner: OwnerEpoch) throws -> Bool {
        let key = Int64(bitPattern: id.rawValue)
        if try StreamLookups.stream(db, id) == nil { return true }
        try checkOwner(db, id, owner)
        for (table, column) in [
            ("log_segment", "first_sequence"), ("gap", "id"), ("session", "session_id"),
        ] {
            try db.cachedStatement(
                sql: """
                    DELETE FROM \(table) WHERE stream_id = ?1 AND \(column) IN (
                        SELECT \(column) FROM \(table) WHERE stream_id = ?1 LIMIT ?2)
                    """
            ).execute(arguments: [key, removalBatchCount])
            if db.changesCount > 0 { return false }
        }
        try db.execute(sql: "DELETE FROM stream WHERE id = ?", arguments: [key])
        return true
    }
}

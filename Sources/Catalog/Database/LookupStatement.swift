internal import GRDB

/// A `SELECT` with a name, prepared once per connection.
///
/// All of them are listed in ``all``, so that a test can ask SQLite for the plan of each.
struct LookupStatement: Sendable {
    /// What it finds, for the test's report.
    let name: String

    /// The statement; parameters are numbered.
    let sql: String

    /// Every lookup of the catalog.
    static let all =
        SegmentLookups.statements + StreamLookups.statements + EventLookups.statements

    /// Runs the statement and decodes every row.
    func rows<Value>(
        _ db: Database,
        _ arguments: [Int64],
        _ decode: (Row) throws -> Value
    ) throws -> [Value] {
        let statement = try db.cachedStatement(sql: sql)
        let cursor = try Row.fetchCursor(statement, arguments: StatementArguments(arguments))
        var values: [Value] = []
        while let row = try cursor.next() { values.append(try decode(row)) }
        return values
    }

    /// The lines of SQLite's plan, for the test that every lookup is a bounded index range.
    static func plans(_ db: Database) throws -> [(name: String, lines: [String])] {
        try all.map { lookup in
            let statement = try db.makeStatement(sql: "EXPLAIN QUERY PLAN " + lookup.sql)
            statement.setUncheckedArguments(StatementArguments())
            let rows = try Row.fetchAll(statement)
            return (
                lookup.name,
                try rows.map { row in
                    try ColumnReader(row: row, table: "plan", columns: []).text(3)
                }
            )
        }
    }
}

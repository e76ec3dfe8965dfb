internal import GRDB

/// One of the database files: how to tell it from others and how its schema came about.
struct DatabaseKind: Sendable {
    /// What the file is called in messages.
    let title: String

    /// SQLite's `application_id`, at byte 68 of the file (SQLite file format, 1.3.15).
    let applicationID: UInt32

    /// The schema's steps, oldest first; released steps never change.
    let steps: [SchemaStep]

    /// `catalog.sqlite`; its id is `KLOG` in ASCII.
    static let catalog = DatabaseKind(
        title: "catalog",
        applicationID: 0x4B4C_4F47,
        steps: CatalogSchema.steps
    )

    /// `consumers.sqlite`, still without tables; its id is `KLCO` in ASCII.
    static let consumers = DatabaseKind(
        title: "consumer store",
        applicationID: 0x4B4C_434F,
        steps: [SchemaStep(name: "1-empty", sql: "")]
    )

    /// Stored as SQLite's `user_version` (byte 60), so that a newer file is known before it is opened.
    var schemaVersion: UInt32 { UInt32(steps.count) }

    /// Brings a database up to the last step, each step in a transaction of its own.
    var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        for (index, step) in steps.enumerated() {
            migrator.registerMigration(step.name) { db in
                try db.execute(sql: step.sql)
                try db.execute(sql: "PRAGMA user_version = \(index + 1)")
            }
        }
        return migrator
    }
}

/// One change of a schema.
struct SchemaStep: Sendable {
    /// Stored in the database once done; never reused.
    let name: String

    /// Statements, separated by semicolons.
    let sql: String
}

import Catalog
import Glibc
import MediaModel

/// Brings both databases back: aside with what is damaged, a copy or an empty one in its place.
///
/// A catalog that is built anew gets its name only when it is complete, so that a repair that is
/// broken off leaves none, and the server goes on refusing to start. Blocks.
struct DatabaseRepair {
    let path: String
    let now: Timestamp

    /// Whether every stream has to be entered into the catalog.
    private(set) var isRebuilt = false
    /// Names of streams as a copy of the catalog knew them.
    private(set) var names: [StreamID: StreamName] = [:]

    private var catalog: String { "\(path)/catalog.sqlite" }
    private var draft: String { "\(path)/catalog.sqlite.repair" }
    private var consumers: String { "\(path)/consumers.sqlite" }
    private var copies: DailyCopies { DailyCopies(directory: "\(path)/copies") }

    init(path: String, now: Timestamp) {
        self.path = path
        self.now = now
    }

    private static func isDamaged(
        _ subject: VerifyFinding.Subject,
        _ report: VerifyReport
    ) -> Bool {
        report.findings.contains { $0.subject == subject && $0.remedy == .repair }
    }

    mutating func repairConsumers(
        _ before: VerifyReport,
        _ report: inout RepairReport
    ) throws(LogError) {
        guard Self.isDamaged(.consumers, before) else { return }
        try moveAside(consumers, &report)
        let (copies, consumers, now) = (copies, consumers, now)
        let copy = try CatalogRows.translating { () throws(CatalogError) in
            try copies.restore(.consumers, to: consumers, at: now)
        }
        if let copy {
            report.did("consumers.sqlite", "restored from \(copy)")
            report.losses.append(
                "Consumers stand where they stood when \(copy) was made; they get some fragments again."
            )
            return
        }
        try CatalogRows.translating { () throws(CatalogError) in
            try ConsumerStore.open(path: consumers, ifMissing: .create).close()
        }
        report.did("consumers.sqlite", "made anew, empty")
        report.losses.append("Consumers are lost: there is no copy of consumers.sqlite.")
    }

    /// Opens the catalog that the streams are to be entered into.
    mutating func openCatalog(
        _ before: VerifyReport,
        _ report: inout RepairReport
    ) throws(LogError) -> CatalogRows {
        guard Self.isDamaged(.catalog, before) else {
            return try CatalogRows.openAlone(catalog)
        }
        isRebuilt = true
        try moveAside(catalog, &report)
        for suffix in ["", "-wal", "-shm", "-journal"] { try Directory.unlink(draft + suffix) }
        let (copies, draft, now) = (copies, draft, now)
        let copy = try CatalogRows.translating { () throws(CatalogError) in
            try copies.restore(.catalog, to: draft, at: now)
        }
        let rows = try CatalogRows.openAlone(draft, ifMissing: .create)
        if let copy {
            report.did("catalog.sqlite", "built on \(copy)")
            report.losses.append(
                "What only the catalog knows, such as keys and sources, is as it was when \(copy) was made."
            )
            // Streams come from their files; of the copy only their names may be needed.
            for row in try rows.streams() {
                names[row.id] = row.name
                try rows.removeStream(row.id)
            }
        } else {
            report.did("catalog.sqlite", "made anew")
            report.losses.append(
                "What only the catalog knew, such as keys and sources, is lost: there is no copy of it."
            )
        }
        return rows
    }

    /// Gives a catalog that was built anew its name, now that it is closed and complete.
    func putInPlace(_ report: inout RepairReport) throws(LogError) {
        guard isRebuilt else { return }
        for suffix in ["-wal", "-shm", "-journal"] { try Directory.unlink(catalog + suffix) }
        try OpenFile.open(draft, O_RDWR).sync()
        if unsafe rename(draft, catalog) != 0 { throw LogError.system("rename", draft) }
        for suffix in ["-wal", "-shm"] { try Directory.unlink(draft + suffix) }
        try Directory.sync(path)
        report.did("catalog.sqlite", "built again from the files of the streams")
    }

    private func moveAside(_ file: String, _ report: inout RepairReport) throws(LogError) {
        let moved = try CatalogRows.translating { () throws(CatalogError) in
            try Catalog.moveAside(path: file)
        }
        if let moved {
            report.did(
                String(file.dropFirst(path.count + 1)),
                "moved aside to \(moved)"
            )
        }
    }
}

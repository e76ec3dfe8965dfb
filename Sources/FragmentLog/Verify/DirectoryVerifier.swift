import Catalog
import Glibc
import MediaModel
import NIOCore

/// Checks a whole data directory that no server uses.
///
/// Changes nothing but what opening a database changes: SQLite takes its write-ahead log in. Blocks.
struct DirectoryVerifier {
    let path: String
    let now: Timestamp
    let progress: VerifyProgressHandler?

    /// Looks at everything.
    func verify() throws(LogError) -> VerifyReport {
        let lock = try DataDirectory.lockExisting(path)
        defer { lock.unlock() }
        return try verifyLocked()
    }

    /// The same for a caller that holds the lock.
    func verifyLocked() throws(LogError) -> VerifyReport {
        var report = VerifyReport()
        guard try verifyIdentity(&report) else { return report }
        let rows = openCatalog(&report)
        defer { rows?.close() }
        let streams = "\(path)/streams"
        let names = try Directory.names(in: streams)
        let ids = names.compactMap { StreamID($0) }
        for (done, id) in ids.enumerated() {
            let read = report.byteCount
            let (found, _) = StreamVerifier(id: id, streams: streams, rows: rows, now: now)
                .verify { name, segmentsDone, segmentCount, bytes in
                    progress?(
                        VerifyProgress(
                            streamsDone: done,
                            streamCount: ids.count,
                            stream: name,
                            segmentsDone: segmentsDone,
                            segmentCount: segmentCount,
                            byteCount: read + bytes
                        )
                    )
                }
            report.add(found)
        }
        for name in names
        where StreamID(name) == nil && name != "volume.json" && name != "volume.json.new" {
            report.add(
                VerifyFinding(
                    .notice,
                    .leftover,
                    file: "streams/\(name)",
                    remedy: .none,
                    "No stream and no file of this layout."
                )
            )
        }
        if let rows { try verifyRows(rows, Set(ids), &report) }
        return report
    }

    // MARK: Layout and volume

    /// - Returns: Whether the streams can be looked at.
    private func verifyIdentity(_ report: inout VerifyReport) throws(LogError) -> Bool {
        let identity = try DataIdentity.read(path)
        switch identity.layout {
        case .known: break
        case .newer(let layout):
            report.add(
                VerifyFinding(
                    .damage,
                    .layout,
                    file: "format",
                    remedy: .none,
                    "It says layout \(layout), this program knows up to "
                        + "\(DataDirectory.layoutVersion); run a newer one."
                )
            )
            return false
        case .missing:
            report.add(
                VerifyFinding(.damage, .layout, file: "format", remedy: .repair, "It is missing.")
            )
        case .damaged:
            report.add(
                VerifyFinding(
                    .damage,
                    .layout,
                    file: "format",
                    remedy: .repair,
                    "It does not hold a layout and a volume."
                )
            )
        }
        let file = "streams/volume.json"
        switch identity.volume {
        case .known(let volume):
            if case .known(let expected) = identity.layout, expected != volume {
                report.add(
                    VerifyFinding(
                        .damage,
                        .volume,
                        file: file,
                        remedy: .mount,
                        "It names volume \(volume), this data directory belongs to \(expected)."
                    )
                )
                return false
            }
        case .missing:
            report.add(
                VerifyFinding(
                    .damage,
                    .volume,
                    file: file,
                    remedy: identity.hasStreams ? .repair : .mount,
                    identity.hasStreams
                        ? "It is missing beside streams." : "It is missing, and so is every stream."
                )
            )
            return identity.hasStreams
        case .damaged:
            report.add(
                VerifyFinding(
                    .damage,
                    .volume,
                    file: file,
                    remedy: .repair,
                    "It does not hold the identity of a volume."
                )
            )
        }
        return true
    }

    // MARK: Databases

    private func openCatalog(_ report: inout VerifyReport) -> CatalogRows? {
        do throws(LogError) {
            try CatalogRows.checkConsumers("\(path)/consumers.sqlite")
        } catch {
            report.add(
                VerifyFinding(
                    .damage,
                    .consumers,
                    file: "consumers.sqlite",
                    remedy: error.code == .newerVersion ? .none : .repair,
                    error.message
                )
            )
        }
        let rows: CatalogRows
        do throws(LogError) {
            rows = try CatalogRows.openAlone("\(path)/catalog.sqlite")
            let findings = try rows.integrityFindingsBlocking()
            for finding in findings { add(catalogFinding: finding, &report) }
        } catch {
            report.add(
                VerifyFinding(
                    .damage,
                    .catalog,
                    file: "catalog.sqlite",
                    remedy: error.code == .newerVersion ? .none : .repair,
                    error.message
                )
            )
            return nil
        }
        return rows
    }

    private func add(catalogFinding finding: String, _ report: inout VerifyReport) {
        report.add(
            VerifyFinding(.damage, .catalog, file: "catalog.sqlite", remedy: .repair, finding)
        )
    }

    /// Streams that only the catalog knows.
    private func verifyRows(
        _ rows: CatalogRows,
        _ ids: Set<StreamID>,
        _ report: inout VerifyReport
    ) throws(LogError) {
        do throws(LogError) {
            for row in try rows.streams() where !ids.contains(row.id) {
                let hasFootage = row.totals.segmentCount > 0
                report.add(
                    VerifyFinding(
                        hasFootage ? .damage : .warning,
                        .stream,
                        stream: row.id,
                        file: "streams/\(row.id)",
                        remedy: .repair,
                        "Stream '\(row.name)' is in the catalog with \(row.totals.segmentCount) "
                            + "log segments, its directory is gone."
                    )
                )
            }
        } catch {
            add(catalogFinding: error.message, &report)
        }
    }
}

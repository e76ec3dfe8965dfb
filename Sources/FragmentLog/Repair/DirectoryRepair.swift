import Catalog
import Glibc
import MediaModel
import NIOCore

/// The order of a repair: identity, databases, streams, and another look.
///
/// Blocks.
struct DirectoryRepair {
    let path: String
    let clock: any WallClock
    let progress: VerifyProgressHandler?

    private var now: Timestamp { clock.now() }

    func run() throws(LogError) -> RepairReport {
        let lock = try DataDirectory.lockExisting(path)
        defer { lock.unlock() }
        let verifier = DirectoryVerifier(path: path, now: now, progress: progress)
        var report = RepairReport()
        try refuseForeign()
        report.before = try verifier.verifyLocked()
        guard report.before.needsRepair else {
            report.after = report.before
            return report
        }
        try repairIdentity(&report)
        var databases = DatabaseRepair(path: path, now: now)
        try databases.repairConsumers(report.before, &report)
        let rows = try databases.openCatalog(report.before, &report)
        do throws(LogError) {
            try repairStreams(rows, databases, &report)
        } catch {
            rows.close()
            throw error
        }
        rows.close()
        try databases.putInPlace(&report)
        // What was cached by the kernel is no reason to trust anything now.
        try Directory.unlink("\(path)/boot")
        try Directory.sync(path)
        report.after = try verifier.verifyLocked()
        return report
    }

    // MARK: Identity

    private func refuseForeign() throws(LogError) {
        let identity = try DataIdentity.read(path)
        if case .newer(let layout) = identity.layout {
            throw LogError(
                .newerVersion,
                "The data directory \(path) has layout \(layout), this program knows up to \(DataDirectory.layoutVersion); repair it with a newer one."
            )
        }
        if case .known(let expected) = identity.layout, case .known(let volume) = identity.volume,
            expected != volume
        {
            throw LogError(
                .volumeMissing,
                "\(path)/streams holds volume \(volume), this data directory belongs to \(expected); mount the right one. Nothing was changed."
            )
        }
        if identity.volume == .missing, !identity.hasStreams {
            throw LogError(
                .volumeMissing,
                "\(path)/streams holds no stream and no volume.json: the media volume is not mounted. Mount it; nothing was changed."
            )
        }
    }

    private func repairIdentity(_ report: inout RepairReport) throws(LogError) {
        let identity = try DataIdentity.read(path)
        let volume: String
        switch (identity.layout, identity.volume) {
        case (.known, .known):
            return
        case (.known(let expected), _):
            volume = expected
        case (_, .known(let found)):
            volume = found
        default:
            volume = String(UInt64.random(in: .min ... .max), radix: 16)
        }
        if identity.volume != .known(volume) {
            try Directory.replaceFile(
                "volume.json",
                in: "\(path)/streams",
                with: ByteBuffer(string: DataDirectory.volumeText(volume))
            )
            report.did("streams/volume.json", "written anew as volume \(volume)")
        }
        if identity.layout != .known(volume: volume) {
            try Directory.create("\(path)/copies")
            try Directory.replaceFile("format", in: path, with: DataDirectory.formatText(volume))
            report.did("format", "written anew for volume \(volume)")
        }
    }

    // MARK: Streams

    private func repairStreams(
        _ rows: CatalogRows,
        _ databases: DatabaseRepair,
        _ report: inout RepairReport
    ) throws(LogError) {
        let streams = "\(path)/streams"
        let ids = try Directory.names(in: streams).compactMap { StreamID($0) }
        let damaged = report.before.streamsToRepair
        var names = databases.names
        for row in try rows.streams() {
            names[row.id] = row.name
            if ids.contains(row.id) { continue }
            try rows.removeStream(row.id)
            report.did("catalog.sqlite", "stream '\(row.name)' removed")
            report.losses.append(
                "Stream '\(row.name)' (\(row.id)) is gone with all its footage; only a backup has it."
            )
        }
        for id in ids where databases.isRebuilt || damaged.contains(id) {
            let repair = StreamRepair(
                id: id,
                directory: "\(streams)/\(id)",
                rows: rows,
                knownName: names[id],
                now: now
            )
            do throws(LogError) {
                try repair.run(&report)
            } catch {
                guard error.code == .ioError || error.code == .gone else { throw error }
                // One unreadable stream must not keep the others from coming back.
                report.losses.append("Stream \(id) could not be repaired: \(error)")
            }
        }
    }
}

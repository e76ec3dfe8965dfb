import Glibc
import MediaModel
import NIOCore

/// Finds or makes a stream's document.
///
/// Blocks.
struct DocumentRepair {
    let id: StreamID
    let directory: String
    let knownName: StreamName?
    let now: Timestamp

    private var path: String { "\(directory)/\(StreamFiles.document)" }
    private var place: String { "streams/\(id)/\(StreamFiles.document)" }

    /// The name of a stream of which nothing else tells it.
    static func recoveredName(_ id: StreamID) -> StreamName? { StreamName("recovered-\(id)") }

    /// Reads the document; what of it is damaged is filled in.
    ///
    /// - Parameter report: Told what could not be restored.
    /// - Returns: A document to go on with, and whether it differs from the file's.
    /// - Throws: `.newerVersion`, `.ioError`.
    func read(_ report: inout RepairReport) throws(LogError) -> (StreamDocument, Bool) {
        if let (document, _) = try intact(StreamFiles.document) { return (document, false) }
        // A replacement that a crash broke off after its sync is as good.
        if let (document, _) = try intact(StreamFiles.document + ".new") {
            return (document, true)
        }
        let content = try? Directory.readFile(path, atMost: StreamDocument.fileBytesMax)
        if let content, let salvaged = try? StreamDocument(content, path: path, isChecked: false) {
            var document = salvaged
            document.info = document.info.with(id: id)
            report.losses.append(
                "\(place) did not match its checksum and was read all the same: look over settings, holds and deleted ranges of stream '\(document.info.name)'."
            )
            try moveAside(&report)
            return (document, true)
        }
        try moveAside(&report)
        return (try made(&report), true)
    }

    private func intact(_ name: String) throws(LogError) -> (StreamDocument, Bool)? {
        let file = "\(directory)/\(name)"
        do throws(LogError) {
            guard let content = try Directory.readFile(file, atMost: StreamDocument.fileBytesMax)
            else { return nil }
            let document = try StreamDocument(content, path: file)
            return document.info.id == id ? (document, false) : nil
        } catch {
            if error.code == .newerVersion { throw error }
            return nil
        }
    }

    /// A document with what can be told without one.
    ///
    /// It keeps everything for as long as possible.
    private func made(_ report: inout RepairReport) throws(LogError) -> StreamDocument {
        guard let name = knownName ?? Self.recoveredName(id) else {
            throw LogError(.invalidArgument, "Stream \(id) has no name that can be used.")
        }
        let settings = StreamSettings(
            name: name,
            retentionHours: StreamSettings.retentionHoursMax
        )
        let info = StreamInfo(
            settings: settings,
            id: id,
            created: now,
            version: String(repeating: "0", count: 19) + "1",
            retentionPaused: nil,
            recording: true,
            holds: []
        )
        report.losses.append(
            "Settings, holds and deleted ranges of stream \(id) are lost with its stream.json. It is '\(name)' now and keeps footage for \(StreamSettings.retentionHoursMax) h; fragments that were deleted in part of a log segment can be seen again."
        )
        return StreamDocument(info: info)
    }

    private func moveAside(_ report: inout RepairReport) throws(LogError) {
        guard Directory.exists(path) else { return }
        var count = 1
        while Directory.exists("\(path).damaged-\(count)") { count += 1 }
        // The damaged one stays in its place until the new one replaces it.
        let content = try Directory.readFile(path, atMost: StreamDocument.fileBytesMax)
        guard let content else { return }
        try Directory.replaceFile(
            "\(StreamFiles.document).damaged-\(count)",
            in: directory,
            with: content
        )
        report.did(place, "copied to \(StreamFiles.document).damaged-\(count)")
    }

    func write(_ document: StreamDocument) throws(LogError) {
        try Directory.replaceFile(
            StreamFiles.document,
            in: directory,
            with: document.encoded()
        )
    }
}

extension StreamInfo {
    fileprivate func with(id: StreamID) -> StreamInfo {
        var info = self
        info.id = id
        return info
    }
}

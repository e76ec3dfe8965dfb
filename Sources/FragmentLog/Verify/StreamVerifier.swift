import Catalog
import Glibc
import MediaModel
import NIOCore

/// Checks one stream of a data directory that no server uses: document, events, log segments,
/// catalog rows both ways, leftovers.
///
/// Blocks.
struct StreamVerifier {
    let id: StreamID
    /// `DATA/streams`.
    let streams: String
    /// `nil` without a usable catalog.
    let rows: CatalogRows?
    /// Our clock, for what retention may have removed.
    let now: Timestamp

    private var directory: String { "\(streams)/\(id)" }

    /// - Parameter progress: Told the stream's name, segments done and in all, and bytes read.
    /// - Returns: What was found, and the stream's document where it could be read.
    func verify(
        _ progress: (_ name: String, Int, Int, UInt64) -> Void
    ) -> (
        report: VerifyReport, document: StreamDocument?
    ) {
        var report = VerifyReport()
        report.streamCount = 1
        var document: StreamDocument?
        do throws(LogError) {
            document = try verify(&report, progress)
        } catch {
            // Only the catalog says so: files that do not parse are findings of their own.
            let isCatalog = error.code == .damaged
            add(
                .damage,
                isCatalog ? .catalog : .stream,
                "",
                isCatalog ? .repair : .restore,
                "Reading it failed: \(error)",
                &report
            )
        }
        return (report, document)
    }

    private func verify(
        _ report: inout VerifyReport,
        _ progress: (String, Int, Int, UInt64) -> Void
    ) throws(LogError) -> StreamDocument? {
        let names = try Directory.names(in: directory)
        let document = try readDocument(names, &report)
        if document == nil, names.allSatisfy({ $0 == StreamFiles.document + ".new" }) {
            return nil
        }
        if let document, document.isDeleted {
            add(
                .notice,
                .stream,
                "",
                .start,
                "Stream '\(document.info.name)' was deleted, its files are not all gone yet.",
                &report
            )
            return document
        }
        let row = try verifyRow(document, &report)
        let segments = try rows?.allSegments(of: id) ?? [:]
        verifySegments(names, segments, document, &report, progress)
        verifyLeftovers(names, &report)
        EventsVerifier(
            directory: directory,
            stream: id,
            rows: rows,
            expiredBefore: Self.expired(segments.values, document, now),
            limit: nil
        ).verify(row, into: &report)
        return document
    }

    // MARK: Document and row

    private func readDocument(
        _ names: [String],
        _ report: inout VerifyReport
    ) throws(LogError)
        -> StreamDocument?
    {
        let path = "\(directory)/\(StreamFiles.document)"
        guard let content = try Directory.readFile(path, atMost: StreamDocument.fileBytesMax) else {
            if names.allSatisfy({ $0 == StreamFiles.document + ".new" }) {
                add(
                    .notice,
                    .stream,
                    "",
                    .start,
                    "It holds nothing: the stream was being made or deleted.",
                    &report
                )
            } else {
                add(
                    .damage,
                    .document,
                    StreamFiles.document,
                    .repair,
                    "It is missing beside \(names.count) files of a stream.",
                    &report
                )
            }
            return nil
        }
        let document: StreamDocument
        do throws(LogError) {
            document = try StreamDocument(content, path: path)
        } catch {
            add(.damage, .document, StreamFiles.document, .repair, error.message, &report)
            return nil
        }
        if document.info.id != id {
            add(
                .damage,
                .document,
                StreamFiles.document,
                .repair,
                "It belongs to stream \(document.info.id).",
                &report
            )
        }
        return document
    }

    private func verifyRow(
        _ document: StreamDocument?,
        _ report: inout VerifyReport
    )
        throws(LogError) -> StreamRow?
    {
        guard let rows else { return nil }
        guard let row = try rows.stream(id) else {
            let hasFootage = try Directory.names(in: directory).contains { $0.hasSuffix(".mkv") }
            add(
                hasFootage ? .damage : .notice,
                .stream,
                "",
                hasFootage ? .repair : .start,
                "The catalog does not know the stream.",
                &report
            )
            return nil
        }
        guard let document else { return row }
        if row.name != document.info.name
            || row.owner.rawValue != Int64(clamping: document.ownerEpoch)
        {
            add(
                .damage,
                .stream,
                StreamFiles.document,
                .repair,
                "The catalog calls the stream '\(row.name)' of owner \(row.owner), its document "
                    + "'\(document.info.name)' of owner \(document.ownerEpoch).",
                &report
            )
        }
        return row
    }

    // MARK: Log segments

    private func verifySegments(
        _ names: [String],
        _ rows: [FragmentNumber: SegmentRow],
        _ document: StreamDocument?,
        _ report: inout VerifyReport,
        _ progress: (String, Int, Int, UInt64) -> Void
    ) {
        let verifier = SegmentVerifier(directory: directory, stream: id, document: document)
        let onDisk = Set(names.compactMap { SegmentName($0)?.first })
        let all = onDisk.union(rows.keys).sorted()
        let name = document?.info.name.text ?? id.description
        var sequence = SegmentSequence(stream: id)
        progress(name, 0, all.count, report.byteCount)
        for (done, number) in all.enumerated() {
            defer { progress(name, done + 1, all.count, report.byteCount) }
            if let row = rows[number] {
                if row.state == .deleting {
                    add(
                        .notice,
                        .leftover,
                        StreamFiles.media(number),
                        .start,
                        "It is being deleted.",
                        &report
                    )
                    continue
                }
                let content = verifier.verify(
                    number,
                    row.state == .open ? .interrupted(row) : .closed(row),
                    into: &report
                )
                sequence.append(number, content, &report)
            } else {
                verifyUnknown(number, verifier, &sequence, &report)
            }
        }
    }

    private func verifyUnknown(
        _ number: FragmentNumber,
        _ verifier: SegmentVerifier,
        _ sequence: inout SegmentSequence,
        _ report: inout VerifyReport
    ) {
        let media = "\(directory)/\(StreamFiles.media(number))"
        let holdsFragments = try? Directory.exists(media) && SegmentRecovery.holdsFragments(media)
        guard holdsFragments != false else {
            let name =
                Directory.exists(media) ? StreamFiles.media(number) : StreamFiles.index(number)
            add(
                .notice,
                .leftover,
                name,
                .start,
                "A log segment without fragments, which the catalog does not know.",
                &report
            )
            return
        }
        if rows != nil {
            add(
                .damage,
                .segment,
                StreamFiles.media(number),
                .repair,
                "The catalog does not know this log segment, so its fragments cannot be found.",
                &report
            )
        }
        sequence.append(number, verifier.verify(number, .unknown, into: &report), &report)
    }

    private func verifyLeftovers(_ names: [String], _ report: inout VerifyReport) {
        let known: Set = [StreamFiles.document, StreamFiles.events]
        for name in names where !known.contains(name) && SegmentName(name) == nil {
            if name.hasPrefix("open-"), name.hasSuffix(".part") {
                add(
                    .notice,
                    .leftover,
                    name,
                    .start,
                    "What was spilled of a fragment that was never finished.",
                    &report
                )
            } else {
                add(.notice, .leftover, name, .none, "No file of this layout.", &report)
            }
        }
    }

    /// The server time before which sessions and gaps may be gone: retention takes them together
    /// with footage, and holds keep only footage.
    static func expired(
        _ segments: some Collection<SegmentRow>,
        _ document: StreamDocument?,
        _ now: Timestamp
    ) -> Timestamp {
        guard let document else { return Timestamp(milliseconds: .max) }
        let retention = Int64(document.info.settings.retentionHours) * 3_600_000
        var time = now.advanced(byMilliseconds: -retention)
        for row in segments {
            guard let extent = row.extent else { continue }
            if document.isHeld(from: row.producerStart, to: extent.producerEnd) { continue }
            time = max(time, extent.serverEnd)
        }
        return time
    }

    private func add(
        _ severity: VerifyFinding.Severity,
        _ subject: VerifyFinding.Subject,
        _ name: String,
        _ remedy: VerifyFinding.Remedy,
        _ message: String,
        _ report: inout VerifyReport
    ) {
        report.add(
            VerifyFinding(
                severity,
                subject,
                stream: id,
                file: name.isEmpty ? "streams/\(id)" : "streams/\(id)/\(name)",
                remedy: remedy,
                message
            )
        )
    }
}

/// A file name that belongs to a log segment.
struct SegmentName: Equatable {
    let first: FragmentNumber
    let isMedia: Bool

    /// Gives `nil` for any other name.
    init?(_ name: String) {
        guard name.hasSuffix(".mkv") || name.hasSuffix(".idx"),
            let number = FragmentNumber(name.dropLast(4))
        else { return nil }
        first = number
        isMedia = name.hasSuffix(".mkv")
    }
}

/// The log segments of a stream in number order: what lies between them.
struct SegmentSequence {
    let stream: StreamID
    private var last: FragmentRecord?

    init(stream: StreamID) {
        self.stream = stream
    }

    mutating func append(
        _ number: FragmentNumber,
        _ content: SegmentVerifier.Content,
        _ report: inout VerifyReport
    ) {
        guard let first = content.first, let newLast = content.last else { return }
        defer { last = newLast }
        guard let last else { return }
        let file = "streams/\(stream)/\(StreamFiles.media(number))"
        if first.number <= last.number || first.ordinal <= last.ordinal {
            report.add(
                VerifyFinding(
                    .damage,
                    .order,
                    stream: stream,
                    file: file,
                    remedy: .none,
                    "It begins with fragment \(first.number), ordinal \(first.ordinal); the log "
                        + "segment before it ends with \(last.number), ordinal \(last.ordinal)."
                )
            )
        } else if first.ordinal != last.ordinal + 1 {
            report.add(
                VerifyFinding(
                    .notice,
                    .order,
                    stream: stream,
                    file: file,
                    remedy: .none,
                    "Ordinals \(last.ordinal + 1) to \(first.ordinal - 1) are not there: expired "
                        + "beside footage under a hold, or lost."
                )
            )
        }
    }
}

import Catalog
import MediaModel
import NIOCore
import Synchronization

/// Checks one stream while producers and retention work on it.
///
/// Whatever was found of a segment counts only if the segment is still there afterwards, in the state
/// it was judged by.
struct LiveVerifier {
    let stream: StreamLog

    private static let segmentsPerPage = 64

    /// Checks what is published; `progress` is told segments done and in all, and bytes read.
    func verify(_ progress: (Int, Int, UInt64) -> Void) async throws(LogError) -> VerifyReport {
        var report = VerifyReport()
        report.streamCount = 1
        let (stream, pool) = (stream, stream.log.readPool)
        report.add(try await pool.run { () throws(LogError) in try Self.verifyDocument(stream) })
        let count = try await pool.run { () throws(LogError) in
            Int(clamping: try stream.log.rows.totals(of: stream.id).segmentCount)
        }
        var sequence = SegmentSequence(stream: stream.id)
        var after: FragmentNumber?
        var done = 0
        while true {
            let position = after
            let page = try await pool.run { () throws(LogError) in
                try stream.log.rows.segments(
                    of: stream.id,
                    after: position,
                    limit: Self.segmentsPerPage
                )
            }
            for row in page {
                if Task.isCancelled || stream.state.withLock({ $0.closed != nil }) {
                    throw LogError(
                        .shuttingDown,
                        "The check of stream '\(stream.name)' was ended before its end."
                    )
                }
                let found = try await pool.run { () throws(LogError) in
                    try Self.verify(row, of: stream)
                }
                if let (part, content) = found {
                    report.add(part)
                    sequence.append(row.first, content, &report)
                }
                done += 1
                progress(done, max(count, done), report.byteCount)
            }
            after = page.last?.first ?? after
            if page.count < Self.segmentsPerPage { break }
        }
        report.add(try await pool.run { () throws(LogError) in try Self.verifyEvents(stream) })
        return report
    }

    /// One segment; `nil` when it went meanwhile or nothing of it is published.
    private static func verify(
        _ row: SegmentRow,
        of stream: StreamLog
    ) throws(LogError) -> (
        VerifyReport, SegmentVerifier.Content
    )? {
        var row = row
        // Sealing changes what is expected; it happens once, so a second look settles it.
        for _ in 0..<3 {
            let expectation: SegmentVerifier.Expectation
            if row.extent != nil || row.state != .open {
                expectation = .closed(row)
            } else {
                guard let index = try stream.index(of: row), index.count > 0 else { return nil }
                expectation = .live(row, count: index.count)
            }
            var report = VerifyReport()
            let content = SegmentVerifier(
                directory: stream.directory,
                stream: stream.id,
                document: stream.state.withLock { $0.document }
            ).verify(row.first, expectation, into: &report)
            let now = try stream.log.rows.segment(of: stream.id, containing: row.first)
            guard let now, now.first == row.first else { return nil }
            if report.findings.isEmpty || now == row { return (report, content) }
            row = now
        }
        return nil
    }

    private static func verifyDocument(_ stream: StreamLog) throws(LogError) -> VerifyReport {
        var report = VerifyReport()
        let path = "\(stream.directory)/\(StreamFiles.document)"
        let file = "streams/\(stream.id)/\(StreamFiles.document)"
        do throws(LogError) {
            let content = try Directory.readFile(path, atMost: StreamDocument.fileBytesMax)
            let found = try content.map { content throws(LogError) in
                try StreamDocument(content, path: path)
            }
            if found?.info.id != stream.id, stream.state.withLock({ $0.closed == nil }) {
                throw LogError(.damaged, "It is missing or belongs to another stream.")
            }
        } catch {
            report.add(
                VerifyFinding(
                    .damage,
                    .document,
                    stream: stream.id,
                    file: file,
                    remedy: .repair,
                    error.message
                )
            )
        }
        return report
    }

    private static func verifyEvents(_ stream: StreamLog) throws(LogError) -> VerifyReport {
        var report = VerifyReport()
        // In this order: the file may grow between the two, the catalog never gets ahead of it.
        guard let row = try stream.log.rows.stream(stream.id) else { return report }
        let segments = try stream.log.rows.segments(of: stream.id, after: nil, limit: 64)
        EventsVerifier(
            directory: stream.directory,
            stream: stream.id,
            rows: stream.log.rows,
            expiredBefore: StreamVerifier.expired(
                segments,
                stream.state.withLock { $0.document },
                stream.log.now
            ),
            limit: row.eventsOffset
        ).verify(row, into: &report)
        return report
    }
}

import Catalog
import Glibc
import MediaModel
import NIOCore

/// Checks one stream's `events.log`, and the catalog's sessions and gaps against it.
///
/// Holds one event at a time. Blocks.
struct EventsVerifier {
    let directory: String
    let stream: StreamID
    /// `nil` without a usable catalog.
    let rows: CatalogRows?
    /// Gaps and sessions that ended before this server time may have expired.
    let expiredBefore: Timestamp
    /// Bytes of the file that are looked at; `nil` for all of it.
    let limit: UInt64?

    private var file: String { "streams/\(stream)/\(StreamFiles.events)" }

    /// Checks what can be read of the file; `row` is what the catalog says of the stream.
    func verify(_ row: StreamRow?, into report: inout VerifyReport) {
        do throws(LogError) {
            try read(row, &report)
        } catch {
            report.add(
                VerifyFinding(
                    .damage,
                    .events,
                    stream: stream,
                    file: file,
                    remedy: .restore,
                    "Reading it failed: \(error)"
                )
            )
        }
    }

    private func read(_ row: StreamRow?, _ report: inout VerifyReport) throws(LogError) {
        let path = "\(directory)/\(StreamFiles.events)"
        let taken = row?.eventsOffset ?? 0
        guard Directory.exists(path) else {
            if taken > 0 {
                add(
                    .damage,
                    nil,
                    .repair,
                    "It is missing; the catalog has taken in \(taken) bytes of it.",
                    &report
                )
            }
            return
        }
        let events = try OpenFile.open(path, O_RDONLY)
        let length = try min(events.size(), limit ?? .max)
        if length < taken {
            add(
                .damage,
                length,
                .repair,
                "It ends before byte \(taken), up to which the catalog has taken it in.",
                &report
            )
        }
        var reader = EventsReader(file: events, length: length)
        var comparison = EventsComparison(stream: stream, expiredBefore: expiredBefore)
        while true {
            switch try reader.next() {
            case .event(let event, let offset, _):
                report.eventCount += 1
                if case .gap = event { report.gapCount += 1 }
                guard let rows, offset < taken else { continue }
                if let finding = try comparison.compare(event, with: rows) {
                    add(.damage, offset, .repair, finding, &report)
                }
            case .damaged(let offset, let length):
                add(
                    .damage,
                    offset,
                    .repair,
                    "\(length) bytes are no event that matches its checksum; what they said is lost.",
                    &report
                )
            case .tail(let offset, let length):
                let isTorn = limit == nil && offset >= taken
                add(
                    isTorn ? .notice : .damage,
                    offset,
                    isTorn ? .start : .repair,
                    "\(length) bytes at its end are no whole event.",
                    &report
                )
            case .end:
                try finish(comparison, row, isWhole: length == taken, &report)
                return
            }
        }
    }

    /// Looks for what only the catalog has.
    private func finish(
        _ comparison: EventsComparison,
        _ row: StreamRow?,
        isWhole: Bool,
        _ report: inout VerifyReport
    ) throws(LogError) {
        guard let rows, let row else { return }
        if let most = row.maxSessionID, most > comparison.maxSession {
            add(
                .warning,
                nil,
                .repair,
                "The catalog has seen session \(most), the file only \(comparison.maxSession).",
                &report
            )
        }
        let stored = try rows.gapCount(of: stream)
        if limit == nil, stored != comparison.gapsFound, isWhole {
            add(
                .damage,
                nil,
                .repair,
                "The catalog has \(stored) gaps, of those in the file it has "
                    + "\(comparison.gapsFound).",
                &report
            )
        }
    }

    private func add(
        _ severity: VerifyFinding.Severity,
        _ offset: UInt64?,
        _ remedy: VerifyFinding.Remedy,
        _ message: String,
        _ report: inout VerifyReport
    ) {
        report.add(
            VerifyFinding(
                severity,
                .events,
                stream: stream,
                file: file,
                offset: offset,
                remedy: remedy,
                message
            )
        )
    }
}

/// Looks up each event of a file in the catalog.
struct EventsComparison {
    let stream: StreamID
    let expiredBefore: Timestamp
    private(set) var maxSession: UInt64 = 0
    /// Gaps of the file that the catalog has too, each counted once.
    private(set) var gapsFound: UInt64 = 0
    private var lastGap: Gap?
    private var repeats = 0

    init(stream: StreamID, expiredBefore: Timestamp) {
        self.stream = stream
        self.expiredBefore = expiredBefore
    }

    /// - Returns: What is wrong, or `nil`.
    mutating func compare(
        _ event: StreamEvent,
        with rows: CatalogRows
    ) throws(LogError)
        -> String?
    {
        switch event {
        case .sessionOpen(let session, let protocolName, let peer, let clock, let at):
            maxSession = max(maxSession, session)
            guard let row = try rows.session(session, of: stream) else {
                return at >= expiredBefore ? "Session \(session) is missing in the catalog." : nil
            }
            let isSame =
                row.protocolName == protocolName && row.peer == peer && row.clockSource == clock
                && row.opened == at
            return isSame ? nil : "The catalog says something else of session \(session)."
        case .sessionEnd(let session, _, let at):
            guard let row = try rows.session(session, of: stream) else { return nil }
            return row.ended == at
                ? nil : "The catalog says that session \(session) ended otherwise."
        case .gap(let gap):
            repeats = gap == lastGap ? repeats + 1 : 0
            lastGap = gap
            // Equal gaps in a row are counted as often as the catalog has them.
            if try rows.count(of: gap, in: stream) > repeats {
                gapsFound += 1
                return nil
            }
            return gap.latestServerTime >= expiredBefore
                ? "A gap of reason \(gap.reason.rawValue) is missing in the catalog." : nil
        }
    }
}

extension Gap {
    /// The server time that expiry of the gap goes by, as the catalog has it.
    fileprivate var latestServerTime: Timestamp {
        guard clock == .producer, let after else { return end }
        return max(end, Timestamp(milliseconds: Int64(clamping: after.serverMilliseconds)))
    }
}

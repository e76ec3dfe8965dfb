import Catalog
import Glibc
import MediaModel
import NIOCore

/// Brings a stream's `events.log` and the catalog's sessions and gaps into order.
///
/// A file with damage in it is replaced by one of its intact events; the damaged one is kept beside
/// it. Blocks.
struct EventsRepair {
    struct Result: Equatable {
        /// Bytes of the file once repaired.
        var length: UInt64 = 0
        var count: UInt64 = 0
        /// The greatest fragment number that an event mentions.
        var greatest: FragmentNumber?
    }

    let directory: String
    let place: String

    private static let eventsPerStep = 1000

    private var path: String { "\(directory)/\(StreamFiles.events)" }

    func run(_ report: inout RepairReport) throws(LogError) -> Result {
        guard Directory.exists(path) else {
            report.losses.append("Sessions and gaps of \(place) are lost: it has no events.log.")
            return Result()
        }
        var damagedBytes: UInt64 = 0
        var tail: (offset: UInt64, length: UInt64)?
        let result = try walk(path) { step throws(LogError) in
            switch step {
            case .damaged(_, let length): damagedBytes += length
            case .tail(let offset, let length): tail = (offset, length)
            case .event, .end: break
            }
        }
        if damagedBytes > 0 {
            report.losses.append(
                "\(damagedBytes) bytes of \(place)/\(StreamFiles.events) are damaged; the sessions or gaps they told of are lost."
            )
            try rewrite(&report)
        } else if let tail {
            let file = try OpenFile.open(path, O_RDWR)
            try file.truncate(to: tail.offset)
            try file.sync()
            report.did(
                "\(place)/\(StreamFiles.events)",
                "\(tail.length) bytes at its end, which are no whole event, cut"
            )
        }
        return result
    }

    /// Takes all events into the catalog, which has none of the stream.
    func enter(
        _ result: Result,
        of id: StreamID,
        into rows: CatalogRows,
        epoch: UInt64
    ) throws(LogError) {
        guard result.length > 0 else { return }
        var sessions: Set<UInt64> = []
        var batch: [StreamEvent] = []
        var start: UInt64 = 0
        var end: UInt64 = 0
        func record() throws(LogError) {
            guard end > start else { return }
            try rows.record(batch, of: id, from: start, upTo: end, epoch: epoch)
            batch = []
            start = end
        }
        _ = try walk(path) { step throws(LogError) in
            guard case .event(let event, let offset, let length) = step else { return }
            end = offset + length
            switch event {
            case .sessionOpen(let session, _, _, _, _):
                // Twice the same session is no event of ours.
                if sessions.insert(session).inserted { batch.append(event) }
            case .gap(var gap):
                gap.end = max(gap.start, gap.end)
                batch.append(.gap(gap))
            case .sessionEnd:
                batch.append(event)
            }
            if batch.count >= Self.eventsPerStep { try record() }
        }
        try record()
    }

    private func walk(
        _ path: String,
        _ body: (EventsReader.Step) throws(LogError) -> Void
    ) throws(LogError) -> Result {
        let file = try OpenFile.open(path, O_RDONLY)
        var reader = EventsReader(file: file, length: try file.size())
        var result = Result()
        while true {
            let step = try reader.next()
            if case .end = step { return result }
            if case .event(let event, _, let length) = step {
                result.length += length
                result.count += 1
                if case .gap(let gap) = event, let after = gap.after {
                    result.greatest = max(result.greatest ?? after, after)
                }
            }
            try body(step)
        }
    }

    /// Replaces the file by one of its intact events.
    private func rewrite(_ report: inout RepairReport) throws(LogError) {
        var count = 1
        while Directory.exists("\(path).damaged-\(count)") { count += 1 }
        let damaged = "\(path).damaged-\(count)"
        if unsafe link(path, damaged) != 0 { throw LogError.system("link", damaged) }
        let draft = "\(path).new"
        let source = try OpenFile.open(path, O_RDONLY)
        let target = try OpenFile.open(draft, O_WRONLY | O_CREAT | O_TRUNC)
        var end: UInt64 = 0
        _ = try walk(path) { step throws(LogError) in
            guard case .event(_, let offset, let length) = step else { return }
            try target.write([try source.read(at: offset, length: Int(length))], at: end)
            end += length
        }
        try target.sync()
        if unsafe rename(draft, path) != 0 { throw LogError.system("rename", draft) }
        try Directory.sync(directory)
        report.did(
            "\(place)/\(StreamFiles.events)",
            "written anew with its intact events; the damaged one is "
                + "\(StreamFiles.events).damaged-\(count)"
        )
    }
}

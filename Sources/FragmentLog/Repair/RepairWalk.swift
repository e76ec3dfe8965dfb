import Matroska
import MediaModel
import NIOCore

/// Walks over a log segment and gathers a record for every fragment that may be listed.
///
/// Blocks.
struct RepairWalk {
    let segment: SegmentID
    let document: StreamDocument
    let old: OldIndex
    let limit: UInt64

    private(set) var records: [FragmentRecord] = []
    private(set) var losses: [String] = []
    /// Whether what lies behind the last record belongs to no fragment that was ever listed.
    private(set) var isTailUnlisted = true

    init(segment: SegmentID, document: StreamDocument, old: OldIndex, limit: UInt64) {
        self.segment = segment
        self.document = document
        self.old = old
        self.limit = limit
    }

    mutating func run(from start: UInt64, _ media: OpenFile) throws(LogError) {
        var scanner = StoredFragmentScanner(offset: Int64(clamping: start))
        while true {
            switch try step(&scanner, media) {
            case .fragment(let fragment):
                append(FragmentRecord(fragment, segment: segment))
            case .deleted(let offset, let length):
                let range = UInt64(max(0, offset))..<UInt64(max(0, offset + length))
                for record in old.records where range.contains(record.offset) {
                    if document.isDeleted(record.number) { append(record) }
                }
            case .end:
                return
            case .torn(let offset, let why):
                guard let next = try resume(UInt64(max(0, offset)), why, media) else { return }
                scanner = StoredFragmentScanner(offset: Int64(clamping: next))
            }
        }
    }

    /// Goes on behind a fragment that cannot be read.
    ///
    /// - Returns: Where; `nil` when nothing follows.
    private mutating func resume(
        _ offset: UInt64,
        _ why: MatroskaError,
        _ media: OpenFile
    ) throws(LogError) -> UInt64? {
        if let record = old.record(at: offset), record.offset + record.storedLength <= limit {
            losses.append("fragment \(record.number) at byte \(offset) is damaged: \(why)")
            append(record)
            return offset + record.storedLength
        }
        var search = FragmentSearch(media: media)
        let readable = try search.next(from: offset + 1).flatMap { $0 < limit ? $0 : nil }
        let listed = old.record(behind: offset).flatMap {
            $0.offset + $0.storedLength <= limit ? $0.offset : nil
        }
        guard let next = [readable, listed].compactMap({ $0 }).min() else {
            isTailUnlisted = old.record(at: offset) == nil
            if !old.isWhole || !isTailUnlisted, offset < limit {
                losses.append("\(limit - offset) bytes from \(offset) on cannot be read: \(why)")
            }
            return nil
        }
        losses.append("\(next - offset) bytes from \(offset) on cannot be read: \(why)")
        return next
    }

    private mutating func append(_ fragment: FragmentRecord) {
        var record = fragment
        if let last = records.last,
            record.number <= last.number || record.producer <= last.producer
                || record.server < last.server || record.ordinal <= last.ordinal
        {
            losses.append(
                "fragment \(record.number) at byte \(record.offset) is out of order and not listed"
            )
            return
        }
        record.place(after: records.last)
        records.append(record)
    }

    private func step(
        _ scanner: inout StoredFragmentScanner,
        _ media: OpenFile
    ) throws(LogError)
        -> StoredFragmentScanner.Step
    {
        let limit = limit
        do {
            return try scanner.next { (offset, length) throws(LogError) in
                guard offset >= 0, UInt64(offset) < limit else { return ByteBuffer() }
                return try media.read(
                    at: UInt64(offset),
                    length: Int(min(UInt64(length), limit - UInt64(offset)))
                )
            }
        } catch let error as LogError {
            throw error
        } catch {
            throw LogError(.ioError, "Scanning \(media.path) failed.", cause: error)
        }
    }
}

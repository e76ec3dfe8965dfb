import Catalog
import Glibc
import Logging
import Matroska
import MediaModel
import NIOCore

/// Brings one unsealed log segment into order after a crash.
///
/// Blocks.
///
/// At `sync` and `interval` an intact index record proves that its fragment was synced; after a mere
/// crash of the process nothing that was written is lost at all. What lies beyond the last record is
/// scanned: whole fragments get their record, a torn tail is cut.
struct SegmentRecovery {
    let segment: InterruptedSegment
    let files: SegmentFiles
    let logger: Logger

    /// How many records of the tail are read when all can be trusted; enough that no earlier
    /// fragment can end later than they do.
    private static let tailRecords = 4096

    /// Completes the index and cuts the tail.
    ///
    /// - Returns: What the segment holds; `nil` when that is nothing.
    /// - Throws: `.damaged` before anything was changed, when something that was acknowledged cannot
    ///   be found, or when a sync failed.
    func run() throws(LogError) -> RecoveredSegment? {
        let media: OpenFile
        let index: OpenFile
        do {
            media = try OpenFile.open(files.media, O_RDWR)
            index = try OpenFile.open(files.index, O_RDWR)
        } catch {
            // Both files are durable before the row is; only an unlink explains their absence, and
            // none that was meant leaves footage.
            if error.code == .gone {
                if Directory.exists(files.media), try Self.holdsFragments(files.media) {
                    throw LogError(
                        .damaged,
                        "\(files.index) is missing beside a log segment with fragments; run 'kinelog verify --repair'."
                    )
                }
                if !Directory.exists(files.media), try listsFragments() {
                    throw LogError(
                        .damaged,
                        "\(files.media) is missing beside an index with fragments; restore it from a backup, or run 'kinelog verify --repair'."
                    )
                }
                logger.error("a log segment is missing", metadata: ["file": "\(files.media)"])
                return nil
            }
            throw error
        }
        let header = IndexFile.Header(try index.read(at: 0, length: IndexFile.recordLength))
        guard let header, header.segment == segment.id,
            CRC32.of(try media.read(at: 0, length: Int(header.headerLength))) == header.headerCRC
        else {
            throw LogError(
                .damaged,
                "The headers of \(files.media) and \(files.index) do not agree; run 'kinelog verify --repair'."
            )
        }
        let limit = try min(media.size(), segment.durableLength ?? .max)
        var (records, listedEnd) = try intactRecords(index, limit)
        let listed = records.count
        while let last = records.last, last.offset + last.storedLength > limit {
            records.removeLast()
        }
        guard records.last != nil || records.count == 0 else {
            throw LogError(
                .damaged,
                "\(files.media) ends at byte \(limit), before the last \(listed - records.count) of its fragments; run 'kinelog verify --repair'."
            )
        }
        if records.count < listed, segment.durableLength == nil {
            logger.error(
                "acknowledged fragments at the end of a log segment are gone",
                metadata: ["file": "\(files.media)", "fragments": "\(listed - records.count)"]
            )
        }
        if segment.trustsSyncs || segment.isSameBoot {
            // Its bytes were there before its record was. What is wrong with them now is damage and
            // no torn tail: it stays, is found by verify, and is not served.
            if let last = records.last, try !isIntact(last, media, limit) {
                logger.error(
                    "the newest fragment of a log segment is damaged",
                    metadata: ["file": "\(files.media)", "offset": "\(last.offset)"]
                )
            }
        } else {
            for (position, record) in records.tail.enumerated() {
                if try !isIntact(record, media, limit) {
                    records.cut(from: position)
                    break
                }
            }
        }
        var end = records.last.map { $0.offset + $0.storedLength } ?? UInt64(header.headerLength)
        var added: [FragmentRecord] = []
        for fragment in try wholeFragments(media, from: end, limit: limit) {
            var record = FragmentRecord(fragment, segment: segment.id)
            record.ordinal = header.firstOrdinal + UInt64(records.count + added.count)
            record.place(after: added.last ?? records.last)
            if let previous = added.last ?? records.last,
                record.number <= previous.number || record.producer <= previous.producer
            {
                break
            }
            added.append(record)
            end = record.offset + record.storedLength
        }
        if end < listedEnd, segment.trustsSyncs || segment.isSameBoot {
            throw LogError(
                .damaged,
                "\(files.media) is damaged at byte \(end), before fragments that were acknowledged; run 'kinelog verify --repair'."
            )
        }
        let size = try media.size()
        if size > end {
            logger.warning(
                "the torn tail of a log segment was cut",
                metadata: ["file": "\(files.media)", "offset": "\(end)", "bytes": "\(size - end)"]
            )
            try media.truncate(to: end)
        }
        try settle(media, index, records.count, added)
        let count = records.count + added.count
        let known = records.tail + added
        guard let last = known.last else { return nil }
        return RecoveredSegment(
            extent: SegmentExtent(
                fragmentCount: UInt64(count),
                last: last.number,
                producerEnd: known.map(\.producerEnd).max() ?? last.producerEnd,
                serverEnd: known.map(\.serverEnd).max() ?? last.serverEnd,
                byteCount: end
            ),
            newest: last
        )
    }

    /// Makes both files durable, the index with its first `count` records and those that are added.
    ///
    /// A sync that fails is not tried again by this run: it would succeed, and prove nothing.
    private func settle(
        _ media: OpenFile,
        _ index: OpenFile,
        _ count: Int,
        _ added: [FragmentRecord]
    ) throws(LogError) {
        do throws(LogError) {
            // First, so that a record proves its bytes also when the power fails here.
            try media.sync()
            try complete(index, count, added)
        } catch {
            if error.code == .diskFull { throw error }
            throw LogError(
                .damaged,
                "\(files.media) and its index could not be made durable: \(error.message)",
                cause: error
            )
        }
    }

    /// Whether an index without its media has any whole record.
    private func listsFragments() throws(LogError) -> Bool {
        guard Directory.exists(files.index) else { return false }
        let index = try OpenFile.open(files.index, O_RDONLY)
        return try intactRecords(index, .max).listedEnd > 0
    }

    /// Leaves the index with its first `count` records and those that are added, durably.
    private func complete(
        _ index: OpenFile,
        _ count: Int,
        _ added: [FragmentRecord]
    ) throws(LogError) {
        let length = UInt64((count + 1) * IndexFile.recordLength)
        let isComplete = try index.size() == length && added.isEmpty
        if isComplete, segment.durableLength == nil {
            try index.sync()
            return
        }
        // Also where a sync of this file may have failed: what the disk has of it cannot be told.
        var whole = try index.read(at: 0, length: Int(length))
        for record in added { IndexFile.write(record, to: &whole) }
        try Directory.replaceFile(
            StreamFiles.index(segment.id.first),
            in: files.directory,
            with: whole
        )
    }

    /// The records of an `.idx` up to the first that is not intact; of many only the last ones are
    /// held.
    struct IntactRecords {
        private(set) var count = 0
        private(set) var tail: [FragmentRecord] = []

        var last: FragmentRecord? { tail.last }

        init(skipping count: Int) { self.count = count }

        mutating func append(_ record: FragmentRecord) {
            tail.append(record)
            count += 1
        }

        mutating func removeLast() {
            guard !tail.isEmpty else { return }
            tail.removeLast()
            count -= 1
        }

        mutating func cut(from index: Int) {
            count -= tail.count - index
            tail.removeSubrange(index...)
        }
    }

    /// - Returns: The records up to the first that is not whole, and where the last fragment ends
    ///   of which there is a whole record, also behind that one.
    private func intactRecords(
        _ index: OpenFile,
        _ limit: UInt64
    ) throws(LogError) -> (records: IntactRecords, listedEnd: UInt64) {
        let length = UInt64(IndexFile.recordLength)
        let total = Int(try index.size() / length) - 1
        // After a power cut any page of the index may be missing, so all of it is read.
        let isCached = segment.isSameBoot && segment.durableLength == nil
        let first = isCached ? max(0, total - Self.tailRecords) : 0
        var records = IntactRecords(skipping: first)
        var listedEnd: UInt64 = 0
        var isWhole = true
        var position = first
        while position < total {
            var bytes = try index.read(
                at: UInt64(position + 1) * length,
                length: min(total - position, 1024) * IndexFile.recordLength
            )
            if bytes.readableBytes < IndexFile.recordLength { break }
            while let slice = bytes.readSlice(length: IndexFile.recordLength) {
                defer { position += 1 }
                guard var record = IndexFile.record(slice, of: segment.id) else {
                    isWhole = false
                    continue
                }
                let end = record.offset + record.storedLength
                if end <= limit { listedEnd = max(listedEnd, end) }
                if let last = records.last, last.offset + last.storedLength != record.offset {
                    isWhole = false
                }
                guard isWhole else { continue }
                record.position = UInt32(position)
                records.append(record)
            }
        }
        if records.last == nil, first > 0 {
            throw LogError(
                .damaged,
                "\(index.path) is damaged at record \(first); run 'kinelog verify --repair'."
            )
        }
        return (records, listedEnd)
    }

    private func isIntact(
        _ record: FragmentRecord,
        _ media: OpenFile,
        _ limit: UInt64
    )
        throws(LogError) -> Bool
    {
        let (end, overflow) = record.offset.addingReportingOverflow(record.storedLength)
        guard !overflow, end <= limit else { return false }
        var crc = CRC32()
        var position = record.offset
        while position < end {
            let piece = try media.read(at: position, length: Int(min(end - position, 1 << 20)))
            if piece.readableBytes == 0 { return false }
            crc.update(piece)
            position += UInt64(piece.readableBytes)
        }
        return crc.value == record.fragmentCRC
    }

    /// Whether a `.mkv` holds any fragment, whole or not.
    ///
    /// Of a file whose header was never synced any part may be missing, so fragments are told by the
    /// name of their sample tables.
    static func holdsFragments(_ path: String) throws(LogError) -> Bool {
        let file = try OpenFile.open(path, O_RDONLY)
        let length: Int64?
        do {
            length = try StoredHeader.length { (offset, length) throws(LogError) in
                try file.read(at: UInt64(max(0, offset)), length: length)
            }
        } catch {
            throw LogError(.ioError, "Reading \(path) failed.", cause: error)
        }
        let name = Array(TagItem.samplesName.utf8)
        var position = UInt64(length ?? 0)
        while true {
            let piece = try file.read(at: position, length: 1 << 20)
            if piece.readableBytesView.firstRange(of: name) != nil { return true }
            if piece.readableBytes < 1 << 20 { return false }
            position += UInt64(piece.readableBytes - name.count)
        }
    }

    /// The whole fragments from an offset on.
    private func wholeFragments(
        _ media: OpenFile,
        from offset: UInt64,
        limit: UInt64
    )
        throws(LogError) -> [StoredFragment]
    {
        var scanner = StoredFragmentScanner(offset: Int64(offset))
        var found: [StoredFragment] = []
        do {
            while true {
                let step = try scanner.next { (offset, length) throws(LogError) in
                    guard offset >= 0, UInt64(offset) < limit else { return ByteBuffer() }
                    return try media.read(
                        at: UInt64(offset),
                        length: min(length, Int(limit - UInt64(offset)))
                    )
                }
                guard case .fragment(let fragment) = step else { return found }
                found.append(fragment)
            }
        } catch let error as LogError {
            throw error
        } catch {
            throw LogError(.ioError, "Scanning \(media.path) failed.", cause: error)
        }
    }
}

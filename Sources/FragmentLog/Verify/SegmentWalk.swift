import Catalog
import Matroska
import MediaModel
import NIOCore

/// One walk over the fragments of a log segment: where it stands, what it has seen, what is wrong.
struct SegmentWalk {
    let id: SegmentID
    let expectation: SegmentVerifier.Expectation
    let document: StreamDocument?
    var report = VerifyReport()
    var content = SegmentVerifier.Content()
    /// Bytes of the `.mkv` that count.
    var limit = UInt64.max
    /// Where the last fragment ends of which there is a whole record behind a torn one.
    var listedEnd: UInt64 = 0
    /// The ordinal the next fragment has if none is missing before it.
    var nextOrdinal: UInt64?

    private var scanner: StoredFragmentScanner?
    /// A Void in place of deleted fragments ends here.
    private var voidEnd: UInt64 = 0

    var mediaName: String { StreamFiles.media(id.first) }
    var indexName: String { StreamFiles.index(id.first) }

    init(
        id: SegmentID,
        expectation: SegmentVerifier.Expectation,
        document: StreamDocument?
    ) {
        self.id = id
        self.expectation = expectation
        self.document = document
    }

    // MARK: Findings

    mutating func add(
        _ severity: VerifyFinding.Severity,
        _ subject: VerifyFinding.Subject,
        _ name: String,
        at offset: UInt64? = nil,
        remedy: VerifyFinding.Remedy,
        _ message: String
    ) {
        report.add(
            VerifyFinding(
                severity,
                subject,
                stream: id.stream,
                file: "streams/\(id.stream)/\(name)",
                offset: offset,
                remedy: remedy,
                message
            )
        )
    }

    mutating func addRowFinding(_ what: String) {
        add(
            .damage,
            .segment,
            mediaName,
            remedy: .repair,
            "The catalog says of it: \(what)."
        )
    }

    // MARK: Fragments

    /// Compares one record with the fragment it stands for; `nil` is one that does not match its
    /// checksum.
    mutating func visit(
        _ record: FragmentRecord?,
        at position: Int,
        in media: OpenFile
    ) throws(LogError) {
        let recordOffset = UInt64(position + 1) * UInt64(IndexFile.recordLength)
        if record == nil {
            add(
                .damage,
                .index,
                indexName,
                at: recordOffset,
                remedy: .repair,
                "Record \(position) does not match its checksum."
            )
        }
        if let record { checkPlace(record, recordOffset) }
        let offset = record?.offset ?? content.end
        if let record, offset < voidEnd {
            acceptDeleted(record)
            return
        }
        switch try step(at: offset, media) {
        case .fragment(let fragment):
            var found = FragmentRecord(fragment, segment: id)
            // Behind damage, what earlier fragments reach to cannot be told from this walk.
            if position == 0 || content.last?.position == UInt32(clamping: position - 1) {
                found.place(after: content.last)
            } else if let record {
                found.producerReachMilliseconds = record.producerReachMilliseconds
                found.serverReachMilliseconds = record.serverReachMilliseconds
            }
            found.position = UInt32(clamping: position)
            if let record, record != found {
                add(
                    .damage,
                    .index,
                    indexName,
                    at: recordOffset,
                    remedy: .repair,
                    "Record \(position) contradicts the fragment it names, \(found.number) at byte "
                        + "\(found.offset)."
                )
            }
            report.fragmentCount += 1
            report.byteCount += found.storedLength
            accept(found)
        case .deleted(_, let length):
            voidEnd = offset + UInt64(max(0, length))
            guard let record else {
                content.end = voidEnd
                return
            }
            acceptDeleted(record)
        case .end:
            damaged(record, offset, "the file ends before it")
        case .torn(_, let error):
            damaged(record, offset, "\(error)")
        }
    }

    private mutating func damaged(_ record: FragmentRecord?, _ offset: UInt64, _ why: String) {
        if case .interrupted = expectation, document?.syncsFragments == false {
            // Without syncs a power cut may take bytes that the index has a record for.
            add(
                .notice,
                .tornTail,
                mediaName,
                at: offset,
                remedy: .start,
                "Fragment \(record?.number.description ?? "") was never synced and is not whole."
            )
            if let record { accept(record) }
            return
        }
        add(
            .damage,
            .fragment,
            mediaName,
            at: offset,
            remedy: .restore,
            "Fragment \(record?.number.description ?? "") is damaged: \(why)"
        )
        if let record { accept(record) }
    }

    /// Fragments lie one behind the other without a hole.
    private mutating func checkPlace(_ record: FragmentRecord, _ recordOffset: UInt64) {
        if record.offset == content.end { return }
        if record.offset > content.end {
            // A repair leaves what it could not read where it is.
            if content.first == nil { content.lacksBeginning = true }
            add(
                .damage,
                .fragment,
                mediaName,
                at: content.end,
                remedy: .restore,
                "\(record.offset - content.end) bytes before fragment \(record.number) belong to "
                    + "no fragment that can be read."
            )
        } else {
            add(
                .damage,
                .index,
                indexName,
                at: recordOffset,
                remedy: .repair,
                "Fragment \(record.number) begins at byte \(record.offset), before the end of the "
                    + "one before it at \(content.end)."
            )
        }
    }

    /// A record whose bytes were overwritten because its range was deleted.
    private mutating func acceptDeleted(_ record: FragmentRecord) {
        let end = record.offset + record.storedLength
        let isDeleted = document?.isDeleted(record.number) ?? true
        if !isDeleted || end > voidEnd {
            add(
                .damage,
                .fragment,
                mediaName,
                at: record.offset,
                remedy: .restore,
                "A Void stands in place of fragment \(record.number), which is not deleted."
            )
        }
        accept(record)
    }

    private mutating func accept(_ record: FragmentRecord) {
        if document?.isDeleted(record.number) == true { report.deletedFragmentCount += 1 }
        checkOrder(record)
        if content.first == nil { content.first = record }
        content.last = record
        content.count += 1
        content.end = max(content.end, record.offset + record.storedLength)
        content.producerEnd = max(content.producerEnd, record.producerEnd)
        content.serverEnd = max(content.serverEnd, record.serverEnd)
    }

    private mutating func checkOrder(_ record: FragmentRecord) {
        func disorder(_ what: String) {
            add(
                .damage,
                .order,
                mediaName,
                at: record.offset,
                remedy: .none,
                "Fragment \(record.number) \(what)."
            )
        }
        if let last = content.last {
            if record.number <= last.number {
                disorder("follows the larger number \(last.number)")
            }
            if record.producer <= last.producer {
                disorder("of \(record.producer) follows one of \(last.producer) (producer)")
            }
            if record.server < last.server {
                disorder("of \(record.server) follows one of \(last.server) (server)")
            }
        }
        if let nextOrdinal, record.ordinal != nextOrdinal {
            // Where bytes could not be read, ordinals are missing with them.
            let isExplained = record.ordinal > nextOrdinal && record.offset > content.end
            if !isExplained {
                disorder("has ordinal \(record.ordinal) where \(nextOrdinal) follows")
            }
        }
        nextOrdinal = record.ordinal &+ 1
        if let document, record.number.sequence >= document.sequenceHighWater {
            disorder("lies above the reserved numbers, which end at \(document.sequenceHighWater)")
        }
    }

    // MARK: Reading

    private mutating func step(
        at offset: UInt64,
        _ media: OpenFile
    ) throws(LogError)
        -> StoredFragmentScanner.Step
    {
        var scanner = self.scanner ?? StoredFragmentScanner(offset: Int64(clamping: offset))
        if scanner.offset != Int64(clamping: offset) {
            scanner = StoredFragmentScanner(offset: Int64(clamping: offset))
        }
        defer { self.scanner = scanner }
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

    /// Walks on over whole fragments that have no record.
    mutating func countWholeFragments(_ media: OpenFile) throws(LogError) -> Int {
        var count = 0
        while true {
            switch try step(at: content.end, media) {
            case .fragment(let fragment):
                var record = FragmentRecord(fragment, segment: id)
                record.place(after: content.last)
                count += 1
                report.fragmentCount += 1
                report.byteCount += record.storedLength
                accept(record)
            case .deleted(_, let length):
                content.end += UInt64(max(1, length))
            case .end, .torn:
                return count
            }
        }
    }

    // MARK: The row

    /// Compares what was found with what the catalog says.
    mutating func compareWithRow() {
        guard let row = expectation.row, let first = content.first, let last = content.last else {
            if case .closed(let row) = expectation, row.extent != nil {
                addRowFinding("it is closed with fragments, and none was found")
            }
            return
        }
        if row.first != first.number && !content.lacksBeginning
            || row.producerStart != first.producer
            || row.serverStart != first.server
        {
            addRowFinding(
                "it begins with \(row.first) at \(row.producerStart) (producer) and "
                    + "\(row.serverStart) (server), the first fragment is \(first.number) at "
                    + "\(first.producer) and \(first.server)"
            )
        }
        guard case .closed = expectation, let extent = row.extent else { return }
        if extent.fragmentCount != UInt64(content.count) || extent.last != last.number
            || extent.producerEnd != content.producerEnd || extent.serverEnd != content.serverEnd
            || (row.state == .sealed && extent.byteCount != content.end)
        {
            addRowFinding(
                "\(extent.fragmentCount) fragments up to \(extent.last), ends at "
                    + "\(extent.producerEnd) (producer) and \(extent.serverEnd) (server), "
                    + "\(extent.byteCount) bytes; found were \(content.count) up to "
                    + "\(last.number), \(content.producerEnd), \(content.serverEnd), "
                    + "\(content.end) bytes"
            )
        }
    }
}

import Catalog
import Glibc
import MediaModel
import NIOCore

/// Appends to the two files of a log segment.
///
/// A failed sync is never repeated on its file: what it may have lost cannot be told.
struct LocalSegmentAppender: SegmentAppender {
    let header: SegmentHeader
    let firstOrdinal: UInt64
    private(set) var length: UInt64
    private(set) var syncedLength: UInt64
    private(set) var count = 0
    private(set) var firstRecord: FragmentRecord?
    private(set) var lastRecord: FragmentRecord?

    private let files: SegmentFiles
    private let media: OpenFile
    private let index: OpenFile
    private let descriptors: DescriptorCache
    private var producerEndMax = Timestamp(milliseconds: .min)
    private var serverEndMax = Timestamp(milliseconds: .min)

    var id: SegmentID { files.id }

    var extent: SegmentExtent? {
        lastRecord.map {
            SegmentExtent(
                fragmentCount: UInt64(count),
                last: $0.number,
                producerEnd: producerEndMax,
                serverEnd: serverEndMax,
                byteCount: length
            )
        }
    }

    /// Makes both files durable, with their headers and their names, before anything refers to them.
    init(
        _ files: SegmentFiles,
        header: SegmentHeader,
        firstOrdinal: UInt64,
        descriptors: DescriptorCache
    ) throws(LogError) {
        self.files = files
        self.header = header
        self.firstOrdinal = firstOrdinal
        self.descriptors = descriptors
        length = UInt64(header.bytes.readableBytes)
        syncedLength = length
        var made: [String] = []
        do {
            media = try OpenFile.open(files.media, O_RDWR | O_CREAT | O_EXCL)
            made.append(files.media)
            index = try OpenFile.open(files.index, O_RDWR | O_CREAT | O_EXCL)
            made.append(files.index)
            try media.write([header.bytes], at: 0)
            let indexHeader = IndexFile.Header(
                segment: files.id,
                firstOrdinal: firstOrdinal,
                header: header
            )
            try index.write([indexHeader.bytes], at: 0)
            try media.sync()
            try index.sync()
            try Directory.sync(files.directory)
        } catch {
            // Nothing refers to the files yet; a leftover would only cost a look at the next start.
            // What was there before is somebody's footage.
            for path in made { try? Directory.unlink(path) }
            throw error
        }
    }

    // MARK: Appending

    mutating func append(_ fragments: [StoredBytes], isSynced: Bool) -> AppendOutcome {
        var outcome = AppendOutcome()
        var written: [FragmentRecord] = []
        for fragment in fragments {
            do throws(LogError) {
                try fragment.write(to: media)
            } catch {
                outcome.failure = error
                break
            }
            written.append(fragment.record)
        }
        if !written.isEmpty {
            do throws(LogError) {
                if isSynced {
                    try media.syncData()
                    syncedLength = written.last.map { $0.offset + $0.storedLength } ?? syncedLength
                }
                outcome.records = try appendRecords(written)
            } catch {
                // After a failed sync nothing of it can be told; and a record may be in the file
                // although its call failed: what is appended next would lie where it points.
                return AppendOutcome(failure: error, isSuspect: true)
            }
        }
        if let failure = outcome.failure { outcome.isSuspect = !takesBack(failure) }
        return outcome
    }

    /// Whether what a failed write left half-written is gone again.
    ///
    /// A full disk says no more than that; after any other failure the file is not trusted.
    private func takesBack(_ failure: LogError) -> Bool {
        guard failure.code == .diskFull else { return false }
        do throws(LogError) {
            try media.truncate(to: length)
            try index.truncate(to: indexLength)
            return true
        } catch {
            return false
        }
    }

    private var indexLength: UInt64 { UInt64((count + 1) * IndexFile.recordLength) }

    private mutating func appendRecords(
        _ fragments: [FragmentRecord]
    ) throws(LogError) -> [FragmentRecord] {
        var records: [FragmentRecord] = []
        for var record in fragments {
            record.place(after: records.last ?? lastRecord)
            records.append(record)
        }
        var bytes = ByteBuffer()
        bytes.reserveCapacity(records.count * IndexFile.recordLength)
        for record in records { IndexFile.write(record, to: &bytes) }
        try index.write([bytes], at: indexLength)
        for record in records {
            if firstRecord == nil { firstRecord = record }
            lastRecord = record
            count += 1
            length = record.offset + record.storedLength
            producerEndMax = max(producerEndMax, record.producerEnd)
            serverEndMax = max(serverEndMax, record.serverEnd)
        }
        return records
    }

    // MARK: Closing

    func seal() throws(LogError) {
        try media.syncData()
        try index.syncData()
    }

    func secureIndex() throws(LogError) {
        let bytes = try index.read(at: 0, length: Int(indexLength))
        var rest = bytes
        var intact = -1
        while let slice = rest.readSlice(length: IndexFile.recordLength),
            intact < 0
                ? IndexFile.Header(slice) != nil : IndexFile.record(slice, of: id) != nil
        {
            intact += 1
        }
        guard intact == count else {
            throw LogError(
                .damaged,
                "Of \(count) records of \(index.path) only \(max(0, intact)) can be read back."
            )
        }
        try Directory.replaceFile(
            StreamFiles.index(id.first),
            in: files.directory,
            with: bytes
        )
        descriptors.drop(files.index)
    }

    func cutTail() throws(LogError) {
        try media.truncate(to: length)
    }
}

extension StoredBytes {
    /// Writes the bytes at the record's offset.
    ///
    /// Blocks.
    fileprivate func write(to file: OpenFile) throws(LogError) {
        var position = record.offset
        guard let spilled else {
            try file.write([head] + slabs + [tail], at: position)
            return
        }
        try file.write([head], at: position)
        position += UInt64(head.readableBytes)
        try file.copy(
            from: spilled.file,
            sourceOffset: 0,
            length: spilled.length,
            at: position
        )
        try file.write(slabs + [tail], at: position + spilled.length)
    }
}

import Glibc
import MediaModel
import NIOCore

/// The one log segment of a stream that is being appended to.
///
/// All methods block.
struct SegmentWriter {
    let id: SegmentID
    let header: SegmentHeader
    let firstOrdinal: UInt64
    let media: OpenFile
    let index: OpenFile
    /// Bytes of the `.mkv` that are written and accounted for.
    private(set) var length: UInt64
    /// Records in the `.idx`.
    private(set) var count = 0
    private(set) var firstRecord: FragmentRecord?
    private(set) var lastRecord: FragmentRecord?
    private(set) var producerEndMax = Timestamp(milliseconds: .min)
    private(set) var serverEndMax = Timestamp(milliseconds: .min)
    /// Bytes of stored fragments.
    private(set) var fragmentBytes: UInt64 = 0

    /// Makes both files durable, with their headers and their names, before anything refers to them.
    static func create(
        _ id: SegmentID,
        in directory: String,
        header: SegmentHeader,
        firstOrdinal: UInt64,
        isDurable: Bool
    ) throws(LogError) -> SegmentWriter {
        let mediaPath = "\(directory)/\(StreamFiles.media(id.first))"
        let indexPath = "\(directory)/\(StreamFiles.index(id.first))"
        var made: [String] = []
        do {
            let media = try OpenFile.open(mediaPath, O_RDWR | O_CREAT | O_EXCL)
            made.append(mediaPath)
            let index = try OpenFile.open(indexPath, O_RDWR | O_CREAT | O_EXCL)
            made.append(indexPath)
            try media.write([header.bytes], at: 0)
            let indexHeader = IndexFile.Header(
                segment: id,
                firstOrdinal: firstOrdinal,
                header: header
            )
            try index.write([indexHeader.bytes], at: 0)
            if isDurable {
                try media.sync()
                try index.sync()
                try Directory.sync(directory)
            }
            return SegmentWriter(
                id: id,
                header: header,
                firstOrdinal: firstOrdinal,
                media: media,
                index: index,
                length: UInt64(header.bytes.readableBytes)
            )
        } catch {
            // Nothing refers to the files yet; a leftover would only cost a look at the next start.
            // What was there before is somebody's footage.
            for path in made { try? Directory.unlink(path) }
            throw error
        }
    }

    private init(
        id: SegmentID,
        header: SegmentHeader,
        firstOrdinal: UInt64,
        media: OpenFile,
        index: OpenFile,
        length: UInt64
    ) {
        self.id = id
        self.header = header
        self.firstOrdinal = firstOrdinal
        self.media = media
        self.index = index
        self.length = length
    }

    /// What the next roll depends on; `nil` while the segment is empty.
    ///
    /// - Parameters:
    ///   - firstPending: The first fragment that is written and has no record yet.
    ///   - pending: The last of those.
    /// - Returns: What is there with the pending ones.
    func rollState(firstPending: FragmentRecord?, pending: FragmentRecord?) -> SegmentRoll.Segment?
    {
        guard let first = firstRecord ?? firstPending, let last = pending ?? lastRecord else {
            return nil
        }
        return SegmentRoll.Segment(
            header: header,
            bytes: pending.map { $0.offset + $0.storedLength } ?? length,
            firstProducer: first.producer,
            lastProducer: last.producer,
            firstServer: first.server,
            lastServer: last.server
        )
    }

    /// Appends the index records of fragments whose bytes are durable.
    ///
    /// - Returns: The records as they were written.
    mutating func append(_ fragments: [FragmentRecord]) throws(LogError) -> [FragmentRecord] {
        var records: [FragmentRecord] = []
        for var record in fragments {
            record.place(after: records.last ?? lastRecord)
            records.append(record)
        }
        var bytes = ByteBuffer()
        bytes.reserveCapacity(records.count * IndexFile.recordLength)
        for record in records { IndexFile.write(record, to: &bytes) }
        try index.write([bytes], at: UInt64((count + 1) * IndexFile.recordLength))
        for record in records {
            if firstRecord == nil { firstRecord = record }
            lastRecord = record
            count += 1
            length = record.offset + record.storedLength
            fragmentBytes += record.storedLength
            producerEndMax = max(producerEndMax, record.producerEnd)
            serverEndMax = max(serverEndMax, record.serverEnd)
        }
        return records
    }
}

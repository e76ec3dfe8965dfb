import Catalog
import Glibc
import Matroska
import MediaModel
import NIOCore

/// Checks the two files of one log segment against each other and against the catalog.
///
/// Reads every byte once and holds one fragment's sample table and a few hundred index records at a
/// time. All methods block.
struct SegmentVerifier {
    /// What is known about the segment beforehand.
    enum Expectation: Equatable {
        /// Complete; it holds exactly what the row says.
        case closed(SegmentRow)
        /// Was being appended to when the server ended; its tail may be torn.
        case interrupted(SegmentRow)
        /// Is being appended to by this process; so many fragments are published.
        case live(SegmentRow, count: Int)
        /// The catalog does not know it, or there is no catalog.
        case unknown

        var row: SegmentRow? {
            switch self {
            case .closed(let row), .interrupted(let row), .live(let row, _): row
            case .unknown: nil
            }
        }

        /// Whether a crash may explain an incomplete end.
        var allowsTornTail: Bool {
            switch self {
            case .interrupted, .unknown: true
            case .closed, .live: false
            }
        }
    }

    /// What the segment turned out to hold.
    struct Content: Equatable {
        var count = 0
        var first: FragmentRecord?
        var last: FragmentRecord?
        var producerEnd = Timestamp(milliseconds: .min)
        var serverEnd = Timestamp(milliseconds: .min)
        /// Where the last fragment ends.
        var end: UInt64 = 0
        /// Whether bytes before the first fragment belong to one that cannot be read.
        var lacksBeginning = false
    }

    /// The stream's directory.
    let directory: String
    let stream: StreamID
    let document: StreamDocument?

    private static let recordsPerRead = 256

    /// Checks one segment.
    ///
    /// - Parameters:
    ///   - number: The number that names the files.
    ///   - expectation: What should be there.
    ///   - report: Takes counts and findings.
    /// - Returns: What is there.
    func verify(
        _ number: FragmentNumber,
        _ expectation: Expectation,
        into report: inout VerifyReport
    ) -> Content {
        report.segmentCount += 1
        var walk = SegmentWalk(
            id: SegmentID(stream: stream, first: number),
            expectation: expectation,
            document: document
        )
        do throws(LogError) {
            try verify(&walk)
        } catch {
            // One unreadable file must not keep the others from being looked at.
            walk.add(
                .damage,
                .segment,
                walk.mediaName,
                remedy: error.code == .gone ? .repair : .restore,
                "Reading it failed: \(error)"
            )
        }
        report.add(walk.report)
        return walk.content
    }

    private func verify(_ walk: inout SegmentWalk) throws(LogError) {
        let media = try open(walk.mediaName)
        let index = try open(walk.indexName)
        guard let media else {
            walk.add(
                .damage,
                .segment,
                walk.mediaName,
                remedy: .repair,
                index == nil
                    ? "Both files of a log segment in the catalog are missing."
                    : "It is missing beside its index: its fragments are lost unless a backup has it."
            )
            return
        }
        let size = try media.size()
        walk.limit = min(size, document?.suspectSegments[walk.id.first] ?? size)
        guard let index else {
            walk.add(
                .damage,
                .index,
                walk.indexName,
                remedy: .repair,
                "The index is missing; the fragments beside it cannot be found without it."
            )
            try verifyWithoutIndex(media, &walk)
            return
        }
        let header = try verifyHeaders(media, index, &walk)
        let headerLength: UInt64
        if let header {
            headerLength = UInt64(header.headerLength)
        } else {
            headerLength = try Self.headerLength(media) ?? 0
        }
        walk.content.end = headerLength
        let count = try recordCount(index, &walk)
        try verifyFragments(media, index, count, header, &walk)
        try verifyTail(media, size, &walk)
        walk.compareWithRow()
    }

    private func open(_ name: String) throws(LogError) -> OpenFile? {
        do {
            return try OpenFile.open("\(directory)/\(name)", O_RDONLY)
        } catch {
            if error.code == .gone { return nil }
            throw error
        }
    }

    // MARK: Headers

    private func verifyHeaders(
        _ media: OpenFile,
        _ index: OpenFile,
        _ walk: inout SegmentWalk
    ) throws(LogError) -> IndexFile.Header? {
        let bytes = try index.read(at: 0, length: IndexFile.recordLength)
        guard let header = IndexFile.Header(bytes) else {
            walk.add(
                .damage,
                .index,
                walk.indexName,
                at: 0,
                remedy: .repair,
                "Its header does not match its checksum."
            )
            return nil
        }
        if header.segment != walk.id {
            walk.add(
                .damage,
                .index,
                walk.indexName,
                at: 16,
                remedy: .repair,
                "Its header names log segment \(header.segment)."
            )
        }
        let stored = try media.read(at: 0, length: Int(header.headerLength))
        if stored.readableBytes != Int(header.headerLength) || CRC32.of(stored) != header.headerCRC
        {
            walk.add(
                .damage,
                .header,
                walk.mediaName,
                at: 0,
                remedy: .restore,
                "Its first \(header.headerLength) bytes, the header, do not match their checksum."
            )
        }
        if let row = walk.expectation.row {
            let kind = Int64(header.kind.storedValue)
            if row.firstOrdinal != header.firstOrdinal || row.kind.rawValue != kind
                || row.headerByteCount != UInt64(header.headerLength)
            {
                walk.addRowFinding(
                    "ordinal \(row.firstOrdinal), kind \(row.kind.rawValue), header of "
                        + "\(row.headerByteCount) bytes, the index says \(header.firstOrdinal), "
                        + "\(kind), \(header.headerLength)"
                )
            }
        }
        return header
    }

    /// Where the first fragment begins, from the `.mkv` alone.
    static func headerLength(_ media: OpenFile) throws(LogError) -> UInt64? {
        do {
            return try StoredHeader.length { (offset, length) throws(LogError) in
                try media.read(at: UInt64(max(0, offset)), length: length)
            }.map { UInt64($0) }
        } catch let error as LogError {
            throw error
        } catch {
            throw LogError(.ioError, "Reading \(media.path) failed.", cause: error)
        }
    }

    // MARK: Records and fragments

    /// How many records are to be looked at.
    private func recordCount(
        _ index: OpenFile,
        _ walk: inout SegmentWalk
    ) throws(LogError) -> Int {
        let size = try index.size()
        let length = UInt64(IndexFile.recordLength)
        let present = Int(size / length) - 1
        switch walk.expectation {
        case .live(_, let count):
            if present < count {
                walk.add(
                    .damage,
                    .index,
                    walk.indexName,
                    at: size,
                    remedy: .repair,
                    "It ends after \(max(present, 0)) of \(count) records."
                )
            }
            return min(max(present, 0), count)
        case .closed(let row):
            let count = Int(clamping: row.extent?.fragmentCount ?? 0)
            if present < count {
                walk.add(
                    .damage,
                    .index,
                    walk.indexName,
                    at: size,
                    remedy: .repair,
                    "It ends after \(max(present, 0)) of \(count) records."
                )
            } else if row.state == .sealed, size != UInt64(count + 1) * length {
                walk.add(
                    .warning,
                    .index,
                    walk.indexName,
                    at: UInt64(count + 1) * length,
                    remedy: .repair,
                    "Bytes follow its last record."
                )
            }
            return min(max(present, 0), count)
        case .interrupted, .unknown:
            if size % length != 0 {
                walk.add(
                    .notice,
                    .tornTail,
                    walk.indexName,
                    at: size / length * length,
                    remedy: .start,
                    "Its last record is torn."
                )
            }
            return max(present, 0)
        }
    }

    private func verifyFragments(
        _ media: OpenFile,
        _ index: OpenFile,
        _ count: Int,
        _ header: IndexFile.Header?,
        _ walk: inout SegmentWalk
    ) throws(LogError) {
        walk.nextOrdinal = header?.firstOrdinal
        var position = 0
        while position < count {
            var bytes = try index.read(
                at: UInt64(position + 1) * UInt64(IndexFile.recordLength),
                length: min(Self.recordsPerRead, count - position) * IndexFile.recordLength
            )
            while position < count, let slice = bytes.readSlice(length: IndexFile.recordLength) {
                var record = IndexFile.record(slice, of: walk.id)
                record?.position = UInt32(clamping: position)
                if record == nil, walk.expectation.allowsTornTail {
                    // What follows is written anew from the .mkv, whatever it is.
                    walk.add(
                        .notice,
                        .tornTail,
                        walk.indexName,
                        at: UInt64(position + 1) * UInt64(IndexFile.recordLength),
                        remedy: .start,
                        "Records from \(position) on are not whole."
                    )
                    walk.listedEnd = try listedEnd(index, from: position, to: count, walk)
                    return
                }
                try walk.visit(record, at: position, in: media)
                position += 1
            }
        }
    }

    /// Where the last fragment ends of which there is a whole record behind a torn one.
    private func listedEnd(
        _ index: OpenFile,
        from position: Int,
        to count: Int,
        _ walk: SegmentWalk
    ) throws(LogError) -> UInt64 {
        var end: UInt64 = 0
        var position = position
        while position < count {
            var bytes = try index.read(
                at: UInt64(position + 1) * UInt64(IndexFile.recordLength),
                length: min(Self.recordsPerRead, count - position) * IndexFile.recordLength
            )
            if bytes.readableBytes < IndexFile.recordLength { break }
            while let slice = bytes.readSlice(length: IndexFile.recordLength) {
                position += 1
                guard let record = IndexFile.record(slice, of: walk.id) else { continue }
                let recordEnd = record.offset + record.storedLength
                if recordEnd <= walk.limit { end = max(end, recordEnd) }
            }
        }
        return end
    }

    /// What lies behind the last fragment in the index.
    private func verifyTail(
        _ media: OpenFile,
        _ size: UInt64,
        _ walk: inout SegmentWalk
    ) throws(LogError) {
        let end = walk.content.end
        guard size > end else { return }
        switch walk.expectation {
        case .live:
            return
        case .closed(let row):
            if row.state == .suspect { return }
            walk.add(
                .damage,
                .fragment,
                walk.mediaName,
                at: end,
                remedy: .restore,
                "\(size - end) bytes behind its last fragment belong to none."
            )
        case .interrupted, .unknown:
            if document?.suspectSegments[walk.id.first] != nil { return }
            let whole = try walk.countWholeFragments(media)
            let torn = size - walk.content.end
            if walk.content.end < walk.listedEnd, document?.syncsFragments ?? true {
                walk.add(
                    .damage,
                    .fragment,
                    walk.mediaName,
                    at: walk.content.end,
                    remedy: .repair,
                    "It is damaged there, before fragments that were acknowledged."
                )
                return
            }
            if whole > 0 {
                walk.add(
                    .notice,
                    .tornTail,
                    walk.indexName,
                    remedy: .start,
                    "\(whole) whole fragments at the end of its log segment have no record yet."
                )
            }
            if torn > 0 {
                walk.add(
                    .notice,
                    .tornTail,
                    walk.mediaName,
                    at: walk.content.end,
                    remedy: .start,
                    "\(torn) bytes at its end are part of a fragment that was never acknowledged."
                )
            }
        }
    }

    /// Counts and checks what is there; nothing is compared.
    private func verifyWithoutIndex(
        _ media: OpenFile,
        _ walk: inout SegmentWalk
    ) throws(LogError) {
        guard let length = try Self.headerLength(media) else {
            walk.add(
                .damage,
                .header,
                walk.mediaName,
                at: 0,
                remedy: .restore,
                "It does not begin with a whole Matroska header."
            )
            return
        }
        walk.content.end = length
        _ = try walk.countWholeFragments(media)
    }
}

import Catalog
import Glibc
import Matroska
import MediaModel
import NIOCore

/// Writes the index of one log segment anew from its `.mkv`.
///
/// What the old index knows of fragments that cannot be read is kept. The `.mkv` is changed in one
/// case only: bytes behind the last fragment of an intact index are part of a fragment that was never
/// acknowledged, and are cut as at every start. Blocks.
struct SegmentRepair {
    struct Result {
        var row: SegmentRow
        var last: FragmentRecord
    }

    let segment: SegmentID
    let directory: String
    let document: StreamDocument
    /// The kind of header that the catalog knew, as it is stored.
    let knownKind: UInt8?

    private var mediaPath: String { "\(directory)/\(StreamFiles.media(segment.first))" }
    private var indexPath: String { "\(directory)/\(StreamFiles.index(segment.first))" }
    private var place: String { "streams/\(segment.stream)/\(StreamFiles.media(segment.first))" }

    /// Repairs the two files; gives `nil` when they hold no fragment that can be listed.
    func run(_ report: inout RepairReport) throws(LogError) -> Result? {
        guard Directory.exists(mediaPath) else {
            try Directory.unlink(indexPath)
            try Directory.sync(directory)
            report.did(place, "missing; its index removed")
            report.losses.append("The fragments of \(place) are lost: the file is missing.")
            return nil
        }
        let old = try OldIndex(indexPath, segment)
        let media = try OpenFile.open(mediaPath, O_RDWR)
        guard let header = try header(media, old) else {
            return try withoutFragments(&report)
        }
        let size = try media.size()
        let limit = min(size, document.suspectSegments[segment.first] ?? size)
        var walk = RepairWalk(segment: segment, document: document, old: old, limit: limit)
        try walk.run(from: UInt64(header.headerLength), media)
        for loss in walk.losses { report.losses.append("\(place): \(loss)") }
        guard let first = walk.records.first, let last = walk.records.last else {
            return try withoutFragments(&report)
        }
        let end = last.offset + last.storedLength
        if old.isWhole, walk.isTailUnlisted, end < size,
            document.suspectSegments[segment.first] == nil
        {
            try media.truncate(to: end)
            try media.sync()
            report.did(place, "\(size - end) bytes of a fragment never acknowledged cut")
        }
        var final = header
        if old.header == nil { final.firstOrdinal = first.ordinal }
        try writeIndex(final, walk.records, old, &report)
        return Result(row: row(final, walk.records, first, last), last: last)
    }

    private func row(
        _ header: IndexFile.Header,
        _ records: [FragmentRecord],
        _ first: FragmentRecord,
        _ last: FragmentRecord
    ) -> SegmentRow {
        let durable = document.suspectSegments[segment.first]
        return SegmentRow(
            stream: segment.stream,
            first: segment.first,
            firstOrdinal: header.firstOrdinal,
            kind: .init(rawValue: Int64(header.kind.storedValue)) ?? .own,
            state: durable == nil ? .sealed : .suspect,
            headerByteCount: UInt64(header.headerLength),
            producerStart: first.producer,
            serverStart: first.server,
            extent: SegmentExtent(
                fragmentCount: UInt64(records.count),
                last: last.number,
                producerEnd: records.map(\.producerEnd).max() ?? last.producerEnd,
                serverEnd: records.map(\.serverEnd).max() ?? last.serverEnd,
                byteCount: last.offset + last.storedLength
            ),
            durableByteCount: durable
        )
    }

    /// A log segment that was being made has no footage; one that cannot be read is left alone.
    private func withoutFragments(_ report: inout RepairReport) throws(LogError) -> Result? {
        if try SegmentRecovery.holdsFragments(mediaPath) {
            report.losses.append(
                "\(place) holds fragments and none of them can be read; it is left where it is."
            )
            return nil
        }
        try Directory.unlink(indexPath)
        try Directory.unlink(mediaPath)
        try Directory.sync(directory)
        report.did(place, "removed: it holds no fragment")
        return nil
    }

    // MARK: Header

    private func header(_ media: OpenFile, _ old: OldIndex) throws(LogError) -> IndexFile.Header? {
        if let header = old.header { return header }
        var search = FragmentSearch(media: media)
        let end: UInt64
        let isReadable: Bool
        if let length = try SegmentVerifier.headerLength(media) {
            (end, isReadable) = (length, true)
        } else if let start = try search.next(from: 0) {
            (end, isReadable) = (start, false)
        } else {
            return nil
        }
        guard let length = UInt32(exactly: end) else { return nil }
        let bytes = try media.read(at: 0, length: Int(end))
        let kind = try kind(bytes, media, fragmentAt: end)
        var header = IndexFile.Header(
            segment: segment,
            firstOrdinal: 0,
            header: SegmentHeader(bytes: bytes, kind: kind)
        )
        header.headerLength = length
        // Bytes that are no header must never match their checksum.
        if !isReadable { header.headerCRC = ~header.headerCRC }
        return header
    }

    /// Whose header it is, when only the `.mkv` can tell.
    private func kind(
        _ header: ByteBuffer,
        _ media: OpenFile,
        fragmentAt offset: UInt64
    )
        throws(LogError) -> SegmentKind
    {
        if knownKind == SegmentKind.own.storedValue { return .own }
        if header.readableBytesView.firstRange(of: Self.ownApplication) != nil { return .own }
        var search = FragmentSearch(media: media)
        guard let fragment = try search.fragment(at: offset) else { return .putMedia }
        let session = SegmentKind.putMediaRelative(session: fragment.table.session)
        if knownKind == SegmentKind.putMedia.storedValue { return .putMedia }
        if knownKind == session.storedValue { return session }
        // ABSOLUTE timecodes are the producer timestamps themselves.
        guard let scale = (try? DocumentHeader.parse(header))?.timecodeScale,
            let ticks = try search.timecode(of: fragment)
        else { return .putMedia }
        let (nanoseconds, overflow) = ticks.multipliedReportingOverflow(by: scale)
        let producer = fragment.table.producerTimestamp.milliseconds
        let isAbsolute = !overflow && producer >= 0 && nanoseconds / 1_000_000 == UInt64(producer)
        return isAbsolute ? .putMedia : session
    }

    /// MuxingApp and WritingApp, 7 bytes, as our own headers have them.
    private static let ownApplication =
        [0x4D, 0x80, 0x87] + Array("Kinelog".utf8) + [0x57, 0x41, 0x87] + Array("Kinelog".utf8)

    // MARK: Index

    private func writeIndex(
        _ header: IndexFile.Header,
        _ records: [FragmentRecord],
        _ old: OldIndex,
        _ report: inout RepairReport
    ) throws(LogError) {
        var bytes = header.bytes
        bytes.reserveCapacity((records.count + 1) * IndexFile.recordLength)
        for record in records { IndexFile.write(record, to: &bytes) }
        if try old.matches(bytes) { return }
        try Directory.replaceFile(
            StreamFiles.index(segment.first),
            in: directory,
            with: bytes
        )
        report.did(
            "streams/\(segment.stream)/\(StreamFiles.index(segment.first))",
            "written anew with \(records.count) records"
        )
    }
}

/// What can be read of an index that is about to be replaced.
struct OldIndex {
    /// `nil` when there is none or it is damaged.
    let header: IndexFile.Header?
    /// Intact records, by where their fragments begin.
    let records: [FragmentRecord]
    /// Whether header and records are all intact; a torn record at the end does not count.
    let isWhole: Bool
    private let path: String

    init(_ path: String, _ segment: SegmentID) throws(LogError) {
        self.path = path
        guard Directory.exists(path) else {
            header = nil
            records = []
            isWhole = false
            return
        }
        let file = try OpenFile.open(path, O_RDONLY)
        let header = IndexFile.Header(try file.read(at: 0, length: IndexFile.recordLength))
        self.header = header.flatMap { $0.segment == segment ? $0 : nil }
        var records: [FragmentRecord] = []
        var damaged = 0
        var position: UInt64 = 1
        while true {
            let bytes = try file.read(
                at: position * UInt64(IndexFile.recordLength),
                length: IndexFile.recordLength
            )
            guard bytes.readableBytes == IndexFile.recordLength else { break }
            if let record = IndexFile.record(bytes, of: segment) {
                records.append(record)
            } else {
                damaged += 1
            }
            position += 1
        }
        isWhole = self.header != nil && damaged == 0
        self.records = records.sorted { $0.offset < $1.offset }
    }

    /// Whether the file holds exactly these bytes.
    func matches(_ bytes: ByteBuffer) throws(LogError) -> Bool {
        guard Directory.exists(path) else { return false }
        let file = try OpenFile.open(path, O_RDONLY)
        guard try file.size() == UInt64(bytes.readableBytes) else { return false }
        return try file.read(at: 0, length: bytes.readableBytes) == bytes
    }

    /// The record of a fragment that begins at an offset.
    func record(at offset: UInt64) -> FragmentRecord? {
        let index = records.firstIndex { $0.offset >= offset }
        return index.flatMap { records[$0].offset == offset ? records[$0] : nil }
    }

    /// The first record of a fragment behind an offset.
    func record(behind offset: UInt64) -> FragmentRecord? {
        records.first { $0.offset > offset }
    }
}

import Synchronization
import Logging
import Catalog
import Matroska
package import MediaModel
package import NIOCore

extension StreamLog {
    // MARK: Lookup

    /// Fragments that overlap a stretch of time, a page at a time.
    ///
    /// - Throws: `.streamDeleted`, `.damaged`, `.ioError`.
    package func fragments(_ query: FragmentQuery) async throws(LogError) -> FragmentPage {
        try checkOpen()
        return try await log.readPool.run { () throws(LogError) in
            try self.fragmentsBlocking(query)
        }
    }

    func fragmentsBlocking(_ query: FragmentQuery) throws(LogError) -> FragmentPage {
        var scan = TimeOrderScan(
            self,
            range: query.range,
            clock: query.clock,
            after: query.after
        )
        var page = FragmentPage(fragments: [], next: nil)
        // The ring of retention 0 is for live readers and never listed.
        if isRing { return page }
        while let record = try scan.next() {
            if page.fragments.count == query.limit {
                page.next = page.fragments.last.map {
                    FragmentPosition(start: $0.start(on: query.clock), number: $0.number)
                }
                break
            }
            page.fragments.append(record)
        }
        return page
    }

    /// One fragment by its number; `nil` when there is none or it was deleted.
    package func fragment(_ number: FragmentNumber) async throws(LogError) -> FragmentRecord? {
        try checkOpen()
        return try await log.readPool.run { () throws(LogError) in
            guard let found = try self.firstRecord(atOrAfter: number), found.number == number else {
                return nil
            }
            return found
        }
    }

    /// The oldest fragment that is kept.
    package func oldest() async throws(LogError) -> FragmentRecord? {
        try checkOpen()
        return try await log.readPool.run { () throws(LogError) in
            try self.firstRecord(
                atOrAfter: FragmentNumber(sequence: 0, serverMilliseconds: 0, random: 0)
            )
        }
    }

    /// The visible fragment with the smallest number that is not below `number`.
    ///
    /// Blocks.
    func firstRecord(atOrAfter number: FragmentNumber) throws(LogError) -> FragmentRecord? {
        let document = state.withLock { $0.document }
        var row = try log.rows.segment(of: id, containing: number)
        if row == nil { row = try log.rows.firstSegment(of: id) }
        while let current = row {
            if let index = try index(of: current) {
                var position = try index.firstPosition { $0.number >= number }
                while position < index.count {
                    let record = try index.record(position)
                    if !document.isDeleted(record.number) { return record }
                    position += 1
                }
            }
            row = try log.rows.segment(of: id, after: current.first)
        }
        return nil
    }

    /// The index of a log segment as far as it is published; `nil` when its files are gone.
    func index(of row: SegmentRow) throws(LogError) -> SegmentIndex? {
        let segment = SegmentID(stream: id, first: row.first)
        if let extent = row.extent {
            return try openIndex(segment, sealedCount: extent.fragmentCount)
        }
        let published = state.withLock { state in
            state.active?.id == segment ? state.active?.count : state.closing[segment]
        }
        if let published {
            return try openIndex(segment).map {
                SegmentIndex(id: segment, count: published, bytes: $0)
            }
        }
        // Sealed between the look at the catalog and now: ask again.
        guard let sealed = try log.rows.segment(of: id, containing: row.first),
            sealed.first == row.first, let extent = sealed.extent
        else { return nil }
        return try openIndex(segment, sealedCount: extent.fragmentCount)
    }

    private func openIndex(
        _ segment: SegmentID,
        sealedCount: UInt64
    ) throws(LogError) -> SegmentIndex? {
        guard let bytes = try openIndex(segment) else { return nil }
        let count = try SegmentIndex.checkedCount(sealedCount, in: bytes)
        return SegmentIndex(id: segment, count: count, bytes: bytes)
    }

    private func openIndex(_ segment: SegmentID) throws(LogError) -> (any SegmentBytes)? {
        do {
            return try log.segments.index(of: segment)
        } catch {
            guard error.code == .gone else { throw error }
            // Retention took it between the look-up and the open, or somebody else did.
            if try log.rows.segment(of: id, containing: segment.first)?.first == segment.first {
                throw LogError(
                    .damaged,
                    "The index of log segment \(segment) is missing; restore it from a backup, or run 'kinelog verify --repair'.",
                    cause: error
                )
            }
            return nil
        }
    }

    func checkOpen() throws(LogError) {
        if let closed = state.withLock({ $0.closed }) { throw closed }
    }

    // MARK: Bytes

    /// A part of a stored fragment as one buffer.
    ///
    /// - Throws: `.gone` when retention or a deletion has taken it, `.damaged` when its checksum
    ///   does not match.
    package func read(
        _ record: FragmentRecord,
        _ part: FragmentPart,
        isChecked: Bool = true
    ) async throws(LogError)
        -> ByteBuffer
    {
        let reader = try await open(record, isChecked: isChecked)
        let extent = record.extent(of: part)
        return try await reader.read(
            at: extent.offset - record.offset,
            length: Int(extent.length)
        )
    }

    /// A stored fragment for reading piece by piece; it stays readable while it is held.
    ///
    /// - Parameters:
    ///   - record: The fragment.
    ///   - isChecked: Whether it is compared with its checksum before it is read for the first time,
    ///     which reads all of it; not for what is small beside the media and only described.
    /// - Returns: Its bytes.
    /// - Throws: `.gone`, `.damaged`, `.ioError`.
    package func open(
        _ record: FragmentRecord,
        isChecked: Bool = true
    ) async throws(LogError) -> FragmentReader {
        try checkOpen()
        if state.withLock({ $0.document.isDeleted(record.number) }) { throw gone(record.number) }
        return try await log.readPool.run { () throws(LogError) in
            let media: any SegmentBytes
            do throws(LogError) {
                media = try self.log.segments.media(of: record.segment)
            } catch {
                throw error.code == .gone ? self.gone(record.number) : error
            }
            if isChecked { try self.check(record, in: media) }
            return FragmentReader(record: record, bytes: media, pool: self.log.readPool)
        }
    }

    func read(
        _ record: FragmentRecord,
        clusterChildrenFrom offset: Int,
        length: Int
    )
        async throws(LogError) -> ByteBuffer
    {
        let reader = try await open(record)
        let cluster = record.extent(of: .cluster).offset - record.offset
        return try await reader.read(
            at: cluster + UInt64(ClusterWriter.prefixLength + offset),
            length: length
        )
    }

    private func gone(_ number: FragmentNumber) -> LogError {
        LogError(
            .gone,
            "Fragment \(number) of stream '\(name)' is no longer kept; list the stream for what is."
        )
    }

    /// Compares a fragment with its checksum before it is read for the first time.
    ///
    /// Blocks.
    func check(_ record: FragmentRecord, in media: any SegmentBytes) throws(LogError) {
        if log.checked.contains(record) { return }
        var crc = CRC32()
        var done: UInt64 = 0
        while done < record.storedLength {
            let piece = try media.read(
                at: record.offset + done,
                length: Int(min(record.storedLength - done, 1 << 20))
            )
            if piece.readableBytes == 0 { break }
            crc.update(piece)
            done += UInt64(piece.readableBytes)
        }
        guard done == record.storedLength, crc.value == record.fragmentCRC else {
            log.logger.error(
                "a stored fragment does not match its checksum",
                metadata: [
                    "stream.name": "\(name)", "fragment.number": "\(record.number)",
                    "file": "\(media.place)", "offset": "\(record.offset)",
                ]
            )
            throw LogError(
                .damaged,
                "Fragment \(record.number) of stream '\(name)', at byte \(record.offset) of \(media.place), does not match its checksum and is not served; restore the file from a backup."
            )
        }
        log.checked.insert(record)
    }

    /// The header of the log segment that holds a fragment.
    package func header(of record: FragmentRecord) async throws(LogError) -> SegmentHeader {
        try await log.readPool.run { () throws(LogError) in
            try self.headerBlocking(of: record.segment)
        }
    }

    func headerBlocking(of segment: SegmentID) throws(LogError) -> SegmentHeader {
        if let known = log.headers[segment] { return known }
        let index = try log.segments.index(of: segment)
        let media = try log.segments.media(of: segment)
        guard
            let fields = IndexFile.Header(
                try index.read(at: 0, length: IndexFile.recordLength)
            ),
            fields.segment == segment
        else {
            throw LogError(
                .damaged,
                "The header of \(index.place) is damaged; run 'kinelog verify --repair'."
            )
        }
        let bytes = try media.read(at: 0, length: Int(fields.headerLength))
        guard CRC32.of(bytes) == fields.headerCRC else {
            throw LogError(
                .damaged,
                "The first \(fields.headerLength) bytes of \(media.place) do not match their checksum; restore the file from a backup."
            )
        }
        let header = SegmentHeader(bytes: bytes, kind: fields.kind)
        log.headers[segment] = header
        return header
    }

    // MARK: Gaps

    /// Stored gaps that touch a stretch of time, oldest first.
    package func gaps(
        in range: Range<Timestamp>,
        clock: StreamClock,
        limit: Int
    )
        async throws(LogError) -> [Gap]
    {
        try checkOpen()
        return try await log.readPool.run { () throws(LogError) in
            try self.log.rows.gaps(of: self.id, range: range, clock: clock, limit: limit)
        }
    }
}

import Catalog
import MediaModel
import NIOCore

/// The catalog in the log's own words: one place where its errors become ours and where segments,
/// records and events become rows.
///
/// Everything blocks.
struct CatalogRows: Sendable {
    let catalog: Catalog
    /// Both are left out where only the catalog is wanted.
    let consumers: ConsumerStore?
    let copies: DailyCopies?

    /// Opens both databases; they are made only together with their data directory.
    ///
    /// - Throws: `.damaged` naming `kinelog verify --repair` when one is missing or unsound.
    static func open(_ directory: DataDirectory) throws(LogError) -> CatalogRows {
        let ifMissing: MissingDatabase = directory.isNew ? .create : .fail
        return try translating { () throws(CatalogError) in
            let catalog = try Catalog.open(
                path: directory.catalog,
                integrityCheck: !directory.isSameBoot,
                ifMissing: ifMissing
            )
            let consumers = try ConsumerStore.open(
                path: directory.consumers,
                integrityCheck: true,
                ifMissing: ifMissing
            )
            return CatalogRows(
                catalog: catalog,
                consumers: consumers,
                copies: DailyCopies(directory: directory.copies)
            )
        }
    }

    func close() {
        try? catalog.close()
        try? consumers?.close()
    }

    static func translating<Result>(
        _ work: () throws(CatalogError) -> Result
    )
        throws(LogError) -> Result
    {
        do throws(CatalogError) {
            return try work()
        } catch {
            let code: LogError.Code =
                switch error.code {
                case .damaged, .missing: .damaged
                case .newerVersion: .newerVersion
                case .diskFull: .diskFull
                case .unknownStream, .unknownSegment: .gone
                case .closed: .shuttingDown
                default: .ioError
                }
            var message = error.message
            if error.code == .missing {
                message +=
                    " The footage beside it is untouched; run 'kinelog verify --repair' to build it again."
            }
            throw LogError(code, message, cause: error.cause)
        }
    }

    func owner(_ epoch: UInt64) -> OwnerEpoch {
        OwnerEpoch(rawValue: Int64(clamping: epoch))
    }

    // MARK: Streams and events

    func register(_ id: StreamID, name: StreamName, epoch: UInt64) throws(LogError) {
        try Self.translating { () throws(CatalogError) in
            guard try catalog.streamBlocking(id) == nil else { return }
            try catalog.insertStreamBlocking(id, name: name, owner: owner(epoch))
        }
    }

    func removeStream(_ id: StreamID) throws(LogError) {
        try Self.translating { () throws(CatalogError) in
            guard let row = try catalog.streamBlocking(id) else { return }
            try catalog.removeStreamBlocking(id, owner: row.owner)
        }
    }

    /// Streams the catalog knows.
    func streams() throws(LogError) -> [StreamRow] {
        try Self.translating { () throws(CatalogError) in try catalog.streamsBlocking() }
    }

    func eventsOffset(of id: StreamID) throws(LogError) -> UInt64 {
        try Self.translating { () throws(CatalogError) in
            try catalog.streamBlocking(id)?.eventsOffset ?? 0
        }
    }

    func maxSession(of id: StreamID) throws(LogError) -> UInt64 {
        try Self.translating { () throws(CatalogError) in
            try catalog.maxSessionIDBlocking(of: id) ?? 0
        }
    }

    func openSessions() throws(LogError) -> [SessionRow] {
        try Self.translating { () throws(CatalogError) in try catalog.openSessionsBlocking() }
    }

    func record(
        _ events: [StreamEvent],
        of id: StreamID,
        from start: UInt64,
        upTo end: UInt64,
        epoch: UInt64
    ) throws(LogError) {
        let rows = events.map(Self.row)
        try Self.translating { () throws(CatalogError) in
            try catalog.recordEventsBlocking(
                of: id,
                rows,
                from: start,
                upTo: end,
                owner: owner(epoch)
            )
        }
    }

    private static func row(_ event: StreamEvent) -> CatalogEvent {
        switch event {
        case .sessionOpen(let session, let protocolName, let peer, let clock, let at):
            .sessionOpened(
                id: session,
                protocolName: protocolName,
                peer: peer,
                clockSource: clock,
                at: at
            )
        case .sessionEnd(let session, _, let at):
            .sessionEnded(id: session, at: at)
        case .gap(let gap):
            .gap(gap)
        }
    }

    func gaps(
        of id: StreamID,
        range: Range<Timestamp>,
        clock: StreamClock,
        limit: Int
    )
        throws(LogError) -> [Gap]
    {
        try Self.translating { () throws(CatalogError) in
            try catalog.gapsBlocking(of: id, on: clock, in: range, limit: limit).map(\.gap)
        }
    }

    func expireEvents(of id: StreamID, before time: Timestamp, epoch: UInt64) throws(LogError) {
        try Self.translating { () throws(CatalogError) in
            try catalog.expireEventsBlocking(of: id, before: time, owner: owner(epoch))
        }
    }

    // MARK: Log segments

    func insert(
        _ segment: any SegmentAppender,
        producer: Timestamp,
        server: Timestamp,
        epoch: UInt64
    ) throws(LogError) {
        let row = SegmentRow(
            stream: segment.id.stream,
            first: segment.id.first,
            firstOrdinal: segment.firstOrdinal,
            kind: .init(rawValue: Int64(segment.header.kind.storedValue)) ?? .own,
            headerByteCount: UInt64(segment.header.bytes.readableBytes),
            producerStart: producer,
            serverStart: server
        )
        try Self.translating { () throws(CatalogError) in
            try catalog.insertSegmentBlocking(row, owner: owner(epoch))
        }
    }

    func seal(_ id: SegmentID, extent: SegmentExtent, epoch: UInt64) throws(LogError) {
        try close(id, extent) { () throws(CatalogError) in
            try catalog.sealSegmentBlocking(
                id.first,
                of: id.stream,
                extent: extent,
                owner: owner(epoch)
            )
        }
    }

    /// Runs a write that closes a segment; one that failed may have come through all the same.
    private func close(
        _ id: SegmentID,
        _ extent: SegmentExtent?,
        _ write: () throws(CatalogError) -> Void
    ) throws(LogError) {
        do throws(LogError) {
            try Self.translating(write)
        } catch {
            let row = try segment(of: id.stream, containing: id.first)
            guard let row, row.first == id.first, row.state != .open, row.extent == extent else {
                throw error
            }
        }
    }

    func markSuspect(
        _ id: SegmentID,
        durableLength: UInt64,
        extent: SegmentExtent?,
        epoch: UInt64
    ) throws(LogError) {
        try close(id, extent) { () throws(CatalogError) in
            try catalog.markSuspectBlocking(
                id.first,
                of: id.stream,
                durableByteCount: durableLength,
                extent: extent,
                owner: owner(epoch)
            )
        }
    }

    func markDeleting(_ first: [FragmentNumber], of id: StreamID, epoch: UInt64) throws(LogError) {
        try Self.translating { () throws(CatalogError) in
            try catalog.markDeletingBlocking(first, of: id, owner: owner(epoch))
        }
    }

    func remove(_ first: [FragmentNumber], of id: StreamID, epoch: UInt64) throws(LogError) {
        try Self.translating { () throws(CatalogError) in
            try catalog.removeSegmentsBlocking(first, of: id, owner: owner(epoch))
        }
    }

    /// Forgets segments in two steps, as every state allows it.
    func forget(_ first: [FragmentNumber], of id: StreamID, epoch: UInt64) throws(LogError) {
        try markDeleting(first, of: id, epoch: epoch)
        try remove(first, of: id, epoch: epoch)
    }

    /// Segments in the order of the clock that overlap a stretch, behind `row`.
    func segments(
        of id: StreamID,
        range: Range<Timestamp>,
        clock: StreamClock,
        after row: SegmentRow?,
        limit: Int
    ) throws(LogError) -> [SegmentRow] {
        try Self.translating { () throws(CatalogError) in
            switch clock {
            case .producer:
                try catalog.segmentsBlocking(
                    of: id,
                    producerRange: range,
                    after: row.map { SegmentCursor(after: $0) },
                    limit: limit
                )
            case .server:
                try catalog.segmentsBlocking(
                    of: id,
                    serverRange: range,
                    after: row?.first,
                    limit: limit
                )
            }
        }
    }

    /// Segments in number order, behind the one that begins with `number`.
    func segments(
        of id: StreamID,
        after number: FragmentNumber?,
        limit: Int
    ) throws(LogError)
        -> [SegmentRow]
    {
        try Self.translating { () throws(CatalogError) in
            try catalog.segmentsBlocking(of: id, after: number, limit: limit)
        }
    }

    func segment(of id: StreamID, containing number: FragmentNumber) throws(LogError) -> SegmentRow?
    {
        try Self.translating { () throws(CatalogError) in
            try catalog.segmentBlocking(of: id, containing: number)
        }
    }

    func segment(of id: StreamID, after number: FragmentNumber) throws(LogError) -> SegmentRow? {
        try Self.translating { () throws(CatalogError) in
            try catalog.segmentBlocking(of: id, after: number)
        }
    }

    func firstSegment(of id: StreamID) throws(LogError) -> SegmentRow? {
        try Self.translating { () throws(CatalogError) in
            try catalog.firstSegmentBlocking(of: id)
        }
    }

    func lastClosedSegment(of id: StreamID) throws(LogError) -> SegmentRow? {
        try Self.translating { () throws(CatalogError) in
            try catalog.lastClosedSegmentBlocking(of: id)
        }
    }

    func openSegments() throws(LogError) -> [SegmentRow] {
        try Self.translating { () throws(CatalogError) in try catalog.openSegmentsBlocking() }
    }

    func deletingSegments() throws(LogError) -> [SegmentRow] {
        try Self.translating { () throws(CatalogError) in try catalog.deletingSegmentsBlocking() }
    }

    func expiredSegments(
        of id: StreamID,
        serverEndBefore time: Timestamp,
        limit: Int
    )
        throws(LogError) -> [SegmentRow]
    {
        try Self.translating { () throws(CatalogError) in
            try catalog.segmentsExpiredBlocking(of: id, serverEndBefore: time, limit: limit)
        }
    }

    func totals(of id: StreamID) throws(LogError) -> SegmentTotals {
        try Self.translating { () throws(CatalogError) in
            try catalog.segmentTotalsBlocking(of: id)
        }
    }

    // MARK: Copies

    /// Makes today's copies of both databases unless they are there.
    func copyIfDue(at now: Timestamp) async throws {
        guard let copies, let consumers, try copies.isDue(at: now) else { return }
        _ = try await copies.make(of: catalog, and: consumers, at: now)
    }

    /// What a full check of the catalog finds, a line each.
    func integrityFindings() async throws -> [String] {
        try await catalog.integrityFindings()
    }
}

package import MediaModel

extension Catalog {
    /// The log segments that overlap `range` on the producer's clock, by (producer start, number).
    ///
    /// An open one counts as having no end, and one that ends exactly where the range begins is
    /// included, because its last fragment may have no duration. Segments being deleted are left out.
    ///
    /// - Parameters:
    ///   - stream: Whose log segments.
    ///   - range: From inclusive, to exclusive; an empty one finds nothing.
    ///   - cursor: Behind the last row of the page before; `nil` for the first page.
    ///   - limit: At most so many rows.
    /// - Returns: A page of rows; the last one when it has fewer than `limit`.
    /// - Throws: What the disk may do, ``CatalogError/Code/damaged``, ``CatalogError/Code/closed``.
    package func segments(
        of stream: StreamID,
        producerRange range: Range<Timestamp>,
        after cursor: SegmentCursor? = nil,
        limit: Int
    ) async throws(CatalogError) -> [SegmentRow] {
        try await file.read("find log segments") {
            try SegmentLookups.segments(
                $0,
                of: stream,
                producerRange: range,
                after: cursor,
                limit: limit
            )
        }
    }

    /// ``segments(of:producerRange:after:limit:)`` on the calling thread.
    package func segmentsBlocking(
        of stream: StreamID,
        producerRange range: Range<Timestamp>,
        after cursor: SegmentCursor? = nil,
        limit: Int
    ) throws(CatalogError) -> [SegmentRow] {
        try file.readBlocking("find log segments") {
            try SegmentLookups.segments(
                $0,
                of: stream,
                producerRange: range,
                after: cursor,
                limit: limit
            )
        }
    }

    /// The log segments that overlap `range` on the server's clock, by number.
    ///
    /// Ends and deletion are treated as by producer time.
    ///
    /// - Parameters:
    ///   - stream: Whose log segments.
    ///   - range: From inclusive, to exclusive; an empty one finds nothing.
    ///   - number: The first number of the last row of the page before; `nil` for the first page.
    ///   - limit: At most so many rows.
    /// - Returns: A page of rows; the last one when it has fewer than `limit`.
    /// - Throws: What the disk may do, ``CatalogError/Code/damaged``, ``CatalogError/Code/closed``.
    package func segments(
        of stream: StreamID,
        serverRange range: Range<Timestamp>,
        after number: FragmentNumber? = nil,
        limit: Int
    ) async throws(CatalogError) -> [SegmentRow] {
        try await file.read("find log segments") {
            try SegmentLookups.segments(
                $0,
                of: stream,
                serverRange: range,
                after: number,
                limit: limit
            )
        }
    }

    /// ``segments(of:serverRange:after:limit:)`` on the calling thread.
    package func segmentsBlocking(
        of stream: StreamID,
        serverRange range: Range<Timestamp>,
        after number: FragmentNumber? = nil,
        limit: Int
    ) throws(CatalogError) -> [SegmentRow] {
        try file.readBlocking("find log segments") {
            try SegmentLookups.segments(
                $0,
                of: stream,
                serverRange: range,
                after: number,
                limit: limit
            )
        }
    }

    /// The log segments whose first number is greater than `number`, by number.
    ///
    /// Segments being deleted are left out.
    ///
    /// - Parameters:
    ///   - stream: Whose log segments.
    ///   - number: Any number; `nil` to begin with the first.
    ///   - limit: At most so many rows.
    /// - Returns: A page of rows; the last one when it has fewer than `limit`.
    /// - Throws: What the disk may do, ``CatalogError/Code/damaged``, ``CatalogError/Code/closed``.
    package func segments(
        of stream: StreamID,
        after number: FragmentNumber?,
        limit: Int
    ) async throws(CatalogError) -> [SegmentRow] {
        try await file.read("list log segments") {
            try SegmentLookups.segments($0, of: stream, after: number, limit: limit)
        }
    }

    /// ``segments(of:after:limit:)`` on the calling thread.
    package func segmentsBlocking(
        of stream: StreamID,
        after number: FragmentNumber?,
        limit: Int
    ) throws(CatalogError) -> [SegmentRow] {
        try file.readBlocking("list log segments") {
            try SegmentLookups.segments($0, of: stream, after: number, limit: limit)
        }
    }

    /// The log segment that `number` falls into: the greatest first number not above it.
    ///
    /// Whether the segment holds that very fragment only its index can tell. `nil` when the number
    /// lies before all segments, or in one that is being deleted.
    package func segment(
        of stream: StreamID,
        containing number: FragmentNumber
    ) async throws(CatalogError) -> SegmentRow? {
        try await file.read("find a log segment") {
            try SegmentLookups.segment($0, of: stream, containing: number)
        }
    }

    /// ``segment(of:containing:)`` on the calling thread.
    package func segmentBlocking(
        of stream: StreamID,
        containing number: FragmentNumber
    ) throws(CatalogError) -> SegmentRow? {
        try file.readBlocking("find a log segment") {
            try SegmentLookups.segment($0, of: stream, containing: number)
        }
    }

    /// The log segment that an ordinal falls into: the greatest first ordinal not above it.
    ///
    /// Of two with the same first ordinal, of which one is empty, the newer. `nil` as for numbers.
    package func segment(
        of stream: StreamID,
        containingOrdinal ordinal: UInt64
    ) async throws(CatalogError) -> SegmentRow? {
        try await file.read("find a log segment") {
            try SegmentLookups.segment($0, of: stream, containingOrdinal: ordinal)
        }
    }

    /// ``segment(of:containingOrdinal:)`` on the calling thread.
    package func segmentBlocking(
        of stream: StreamID,
        containingOrdinal ordinal: UInt64
    ) throws(CatalogError) -> SegmentRow? {
        try file.readBlocking("find a log segment") {
            try SegmentLookups.segment($0, of: stream, containingOrdinal: ordinal)
        }
    }

    /// The log segment with the least first number greater than `number`.
    ///
    /// Segments being deleted are left out.
    package func segment(
        of stream: StreamID,
        after number: FragmentNumber
    ) async throws(CatalogError) -> SegmentRow? {
        try await file.read("find a log segment") {
            try SegmentLookups.segments($0, of: stream, after: number, limit: 1).first
        }
    }

    /// ``segment(of:after:)`` on the calling thread.
    package func segmentBlocking(
        of stream: StreamID,
        after number: FragmentNumber
    ) throws(CatalogError) -> SegmentRow? {
        try file.readBlocking("find a log segment") {
            try SegmentLookups.segments($0, of: stream, after: number, limit: 1).first
        }
    }

    /// The oldest log segment that is not being deleted.
    package func firstSegment(of stream: StreamID) async throws(CatalogError) -> SegmentRow? {
        try await file.read("find the first log segment") {
            try SegmentLookups.first($0, of: stream)
        }
    }

    /// ``firstSegment(of:)`` on the calling thread.
    package func firstSegmentBlocking(of stream: StreamID) throws(CatalogError) -> SegmentRow? {
        try file.readBlocking("find the first log segment") {
            try SegmentLookups.first($0, of: stream)
        }
    }

    /// The newest log segment that is not being deleted.
    package func lastSegment(of stream: StreamID) async throws(CatalogError) -> SegmentRow? {
        try await file.read("find the last log segment") { try SegmentLookups.last($0, of: stream) }
    }

    /// ``lastSegment(of:)`` on the calling thread.
    package func lastSegmentBlocking(of stream: StreamID) throws(CatalogError) -> SegmentRow? {
        try file.readBlocking("find the last log segment") {
            try SegmentLookups.last($0, of: stream)
        }
    }

    /// The newest log segment whose content is known: neither open nor being deleted.
    ///
    /// Blocks.
    package func lastClosedSegmentBlocking(
        of stream: StreamID
    ) throws(CatalogError) -> SegmentRow? {
        try file.readBlocking("find the last closed log segment") {
            try SegmentLookups.lastClosed($0, of: stream)
        }
    }

    /// The open log segments of all streams, by (stream, number).
    package func openSegments() async throws(CatalogError) -> [SegmentRow] {
        try await file.read("find open log segments") { try SegmentLookups.segments($0, in: .open) }
    }

    /// ``openSegments()`` on the calling thread.
    package func openSegmentsBlocking() throws(CatalogError) -> [SegmentRow] {
        try file.readBlocking("find open log segments") {
            try SegmentLookups.segments($0, in: .open)
        }
    }

    /// The suspect log segments of all streams, by (stream, number).
    package func suspectSegments() async throws(CatalogError) -> [SegmentRow] {
        try await file.read("find suspect log segments") {
            try SegmentLookups.segments($0, in: .suspect)
        }
    }

    /// ``suspectSegments()`` on the calling thread.
    package func suspectSegmentsBlocking() throws(CatalogError) -> [SegmentRow] {
        try file.readBlocking("find suspect log segments") {
            try SegmentLookups.segments($0, in: .suspect)
        }
    }

    /// The log segments of all streams whose files have yet to be removed, by (stream, number).
    package func deletingSegments() async throws(CatalogError) -> [SegmentRow] {
        try await file.read("find log segments being deleted") {
            try SegmentLookups.segments($0, in: .deleting)
        }
    }

    /// ``deletingSegments()`` on the calling thread.
    package func deletingSegmentsBlocking() throws(CatalogError) -> [SegmentRow] {
        try file.readBlocking("find log segments being deleted") {
            try SegmentLookups.segments($0, in: .deleting)
        }
    }

    /// The log segments whose last fragment ended before `time` on the server's clock, by number.
    ///
    /// Those that ended first are taken first. Open ones, those without an extent and those being
    /// deleted are left out.
    package func segmentsExpired(
        of stream: StreamID,
        serverEndBefore time: Timestamp,
        limit: Int
    ) async throws(CatalogError) -> [SegmentRow] {
        try await file.read("find expired log segments") {
            try SegmentLookups.expired($0, of: stream, serverEndBefore: time, limit: limit)
        }
    }

    /// ``segmentsExpired(of:serverEndBefore:limit:)`` on the calling thread.
    package func segmentsExpiredBlocking(
        of stream: StreamID,
        serverEndBefore time: Timestamp,
        limit: Int
    ) throws(CatalogError) -> [SegmentRow] {
        try file.readBlocking("find expired log segments") {
            try SegmentLookups.expired($0, of: stream, serverEndBefore: time, limit: limit)
        }
    }

    /// Counts and bytes of a stream's log segments, kept up to date with every change.
    ///
    /// All zero for a stream the catalog does not have.
    package func segmentTotals(of stream: StreamID) async throws(CatalogError) -> SegmentTotals {
        try await file.read("sum up log segments") {
            try StreamLookups.stream($0, stream)?.totals ?? .none
        }
    }

    /// ``segmentTotals(of:)`` on the calling thread.
    package func segmentTotalsBlocking(of stream: StreamID) throws(CatalogError) -> SegmentTotals {
        try file.readBlocking("sum up log segments") {
            try StreamLookups.stream($0, stream)?.totals ?? .none
        }
    }
}

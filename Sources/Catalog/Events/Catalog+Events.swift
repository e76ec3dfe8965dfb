package import MediaModel

extension Catalog {
    /// Takes in the records of `events.log` between two byte offsets, with the new offset, at once.
    ///
    /// - Parameters:
    ///   - stream: The stream whose `events.log` it is.
    ///   - events: The records, in file order.
    ///   - start: Where the first begins; the offset the catalog has reached.
    ///   - end: Where the last ends.
    ///   - owner: Who writes.
    /// - Throws: ``CatalogError/Code/conflict`` when `start` is not where the catalog stands, or a
    ///   session is opened twice; nothing is written then.
    package func recordEvents(
        of stream: StreamID,
        _ events: [CatalogEvent],
        from start: UInt64,
        upTo end: UInt64,
        owner: OwnerEpoch
    ) async throws(CatalogError) {
        try await file.write("record events") {
            try EventWrites.record($0, stream, events, from: start, upTo: end, owner: owner)
        }
    }

    /// ``recordEvents(of:_:from:upTo:owner:)`` on the calling thread.
    package func recordEventsBlocking(
        of stream: StreamID,
        _ events: [CatalogEvent],
        from start: UInt64,
        upTo end: UInt64,
        owner: OwnerEpoch
    ) throws(CatalogError) {
        try file.writeBlocking("record events") {
            try EventWrites.record($0, stream, events, from: start, upTo: end, owner: owner)
        }
    }

    /// Puts the whole of `events.log` in place of what the catalog has, for a repair.
    package func replaceEvents(
        of stream: StreamID,
        with events: [CatalogEvent],
        upTo end: UInt64,
        owner: OwnerEpoch
    ) async throws(CatalogError) {
        try await file.write("replace events") {
            try EventWrites.replace($0, stream, events, upTo: end, owner: owner)
        }
    }

    /// ``replaceEvents(of:with:upTo:owner:)`` on the calling thread.
    package func replaceEventsBlocking(
        of stream: StreamID,
        with events: [CatalogEvent],
        upTo end: UInt64,
        owner: OwnerEpoch
    ) throws(CatalogError) {
        try file.writeBlocking("replace events") {
            try EventWrites.replace($0, stream, events, upTo: end, owner: owner)
        }
    }

    /// Forgets the gaps and the ended sessions that lie wholly before a server time.
    ///
    /// A gap on the server clock counts by its end; one on the producer clock by its end or the
    /// server time of the fragment before it, whichever is later.
    package func expireEvents(
        of stream: StreamID,
        before time: Timestamp,
        owner: OwnerEpoch
    ) async throws(CatalogError) {
        try await file.write("expire events") {
            try EventWrites.expire($0, stream, before: time, owner: owner)
        }
    }

    /// ``expireEvents(of:before:owner:)`` on the calling thread.
    package func expireEventsBlocking(
        of stream: StreamID,
        before time: Timestamp,
        owner: OwnerEpoch
    ) throws(CatalogError) {
        try file.writeBlocking("expire events") {
            try EventWrites.expire($0, stream, before: time, owner: owner)
        }
    }

    /// The gaps that overlap `range` on one clock, by (start, id).
    ///
    /// A gap of no length counts when it lies in the range.
    ///
    /// - Parameters:
    ///   - stream: Whose gaps.
    ///   - clock: Only gaps stated on this clock.
    ///   - range: From inclusive, to exclusive; an empty one finds nothing.
    ///   - previous: The last row of the page before; `nil` for the first page.
    ///   - limit: At most so many rows.
    /// - Returns: A page of rows; the last one when it has fewer than `limit`.
    /// - Throws: What the disk may do, ``CatalogError/Code/damaged``, ``CatalogError/Code/closed``.
    package func gaps(
        of stream: StreamID,
        on clock: StreamClock,
        in range: Range<Timestamp>,
        after previous: GapRow? = nil,
        limit: Int
    ) async throws(CatalogError) -> [GapRow] {
        try await file.read("find gaps") {
            try EventLookups.gaps(
                $0,
                of: stream,
                on: clock,
                in: range,
                after: previous,
                limit: limit
            )
        }
    }

    /// ``gaps(of:on:in:after:limit:)`` on the calling thread.
    package func gapsBlocking(
        of stream: StreamID,
        on clock: StreamClock,
        in range: Range<Timestamp>,
        after previous: GapRow? = nil,
        limit: Int
    ) throws(CatalogError) -> [GapRow] {
        try file.readBlocking("find gaps") {
            try EventLookups.gaps(
                $0,
                of: stream,
                on: clock,
                in: range,
                after: previous,
                limit: limit
            )
        }
    }

    /// The sessions of all streams that were opened and never ended, by (stream, id).
    package func openSessions() async throws(CatalogError) -> [SessionRow] {
        try await file.read("find open sessions") { try EventLookups.openSessions($0) }
    }

    /// ``openSessions()`` on the calling thread.
    package func openSessionsBlocking() throws(CatalogError) -> [SessionRow] {
        try file.readBlocking("find open sessions") { try EventLookups.openSessions($0) }
    }

    /// One session; `nil` when it never was or has expired.
    package func session(
        _ id: UInt64,
        of stream: StreamID
    ) async throws(CatalogError) -> SessionRow? {
        try await file.read("find a session") { try EventLookups.session($0, id, of: stream) }
    }

    /// ``session(_:of:)`` on the calling thread.
    package func sessionBlocking(
        _ id: UInt64,
        of stream: StreamID
    ) throws(CatalogError) -> SessionRow? {
        try file.readBlocking("find a session") { try EventLookups.session($0, id, of: stream) }
    }

    /// The greatest session id ever recorded for a stream, expired ones included.
    package func maxSessionID(of stream: StreamID) async throws(CatalogError) -> UInt64? {
        try await self.stream(stream)?.maxSessionID
    }

    /// ``maxSessionID(of:)`` on the calling thread.
    package func maxSessionIDBlocking(of stream: StreamID) throws(CatalogError) -> UInt64? {
        try streamBlocking(stream)?.maxSessionID
    }
}

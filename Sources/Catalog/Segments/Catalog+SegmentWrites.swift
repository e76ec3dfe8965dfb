package import MediaModel

extension Catalog {
    /// Makes several changes in one transaction: all of them, or none with an error.
    ///
    /// Costs one sync however many they are, so that a hundred streams that roll together need not
    /// wait for a hundred.
    ///
    /// - Throws: ``CatalogError/Code/staleOwner``, ``CatalogError/Code/unknownStream``,
    ///   ``CatalogError/Code/unknownSegment``, ``CatalogError/Code/conflict`` when a row is there
    ///   already or its state does not allow the change, ``CatalogError/Code/invalidValue``, and
    ///   what the disk may do.
    package func apply(
        _ changes: [SegmentChange],
        owner: OwnerEpoch
    ) async throws(CatalogError) {
        try await file.write("change log segments") {
            try SegmentWrites.apply($0, changes, owner: owner)
        }
    }

    /// ``apply(_:owner:)`` on the calling thread.
    package func applyBlocking(
        _ changes: [SegmentChange],
        owner: OwnerEpoch
    ) throws(CatalogError) {
        try file.writeBlocking("change log segments") {
            try SegmentWrites.apply($0, changes, owner: owner)
        }
    }

    /// Adds a log segment; see ``SegmentChange/insert(_:)``.
    package func insertSegment(_ row: SegmentRow, owner: OwnerEpoch) async throws(CatalogError) {
        try await apply([.insert(row)], owner: owner)
    }

    /// ``insertSegment(_:owner:)`` on the calling thread.
    package func insertSegmentBlocking(
        _ row: SegmentRow,
        owner: OwnerEpoch
    ) throws(CatalogError) {
        try applyBlocking([.insert(row)], owner: owner)
    }

    /// Closes an open log segment; see ``SegmentChange/seal(_:first:_:)``.
    package func sealSegment(
        _ first: FragmentNumber,
        of stream: StreamID,
        extent: SegmentExtent,
        owner: OwnerEpoch
    ) async throws(CatalogError) {
        try await apply([.seal(stream, first: first, extent)], owner: owner)
    }

    /// ``sealSegment(_:of:extent:owner:)`` on the calling thread.
    package func sealSegmentBlocking(
        _ first: FragmentNumber,
        of stream: StreamID,
        extent: SegmentExtent,
        owner: OwnerEpoch
    ) throws(CatalogError) {
        try applyBlocking([.seal(stream, first: first, extent)], owner: owner)
    }

    /// Closes an open log segment whose sync failed.
    ///
    /// - Parameters:
    ///   - first: The number of its first fragment.
    ///   - stream: Its stream.
    ///   - durableByteCount: The bytes of the `.mkv` known to be on disk.
    ///   - extent: What the durable fragments cover; `nil` when there are none, in which case
    ///     expiry does not find it and the caller has to remove it.
    ///   - owner: Who writes.
    /// - Throws: As ``apply(_:owner:)``.
    package func markSuspect(
        _ first: FragmentNumber,
        of stream: StreamID,
        durableByteCount: UInt64,
        extent: SegmentExtent?,
        owner: OwnerEpoch
    ) async throws(CatalogError) {
        let change = SegmentChange.markSuspect(
            stream,
            first: first,
            durableByteCount: durableByteCount,
            extent: extent
        )
        try await apply([change], owner: owner)
    }

    /// ``markSuspect(_:of:durableByteCount:extent:owner:)`` on the calling thread.
    package func markSuspectBlocking(
        _ first: FragmentNumber,
        of stream: StreamID,
        durableByteCount: UInt64,
        extent: SegmentExtent?,
        owner: OwnerEpoch
    ) throws(CatalogError) {
        let change = SegmentChange.markSuspect(
            stream,
            first: first,
            durableByteCount: durableByteCount,
            extent: extent
        )
        try applyBlocking([change], owner: owner)
    }

    /// Makes log segments invisible before their files go; see ``SegmentChange/markDeleting(_:_:)``.
    package func markDeleting(
        _ numbers: [FragmentNumber],
        of stream: StreamID,
        owner: OwnerEpoch
    ) async throws(CatalogError) {
        try await apply([.markDeleting(stream, numbers)], owner: owner)
    }

    /// ``markDeleting(_:of:owner:)`` on the calling thread.
    package func markDeletingBlocking(
        _ numbers: [FragmentNumber],
        of stream: StreamID,
        owner: OwnerEpoch
    ) throws(CatalogError) {
        try applyBlocking([.markDeleting(stream, numbers)], owner: owner)
    }

    /// Forgets log segments whose files are gone; see ``SegmentChange/remove(_:_:)``.
    package func removeSegments(
        _ numbers: [FragmentNumber],
        of stream: StreamID,
        owner: OwnerEpoch
    ) async throws(CatalogError) {
        try await apply([.remove(stream, numbers)], owner: owner)
    }

    /// ``removeSegments(_:of:owner:)`` on the calling thread.
    package func removeSegmentsBlocking(
        _ numbers: [FragmentNumber],
        of stream: StreamID,
        owner: OwnerEpoch
    ) throws(CatalogError) {
        try applyBlocking([.remove(stream, numbers)], owner: owner)
    }
}

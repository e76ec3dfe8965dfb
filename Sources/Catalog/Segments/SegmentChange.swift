package import MediaModel

/// One change of a stream's log segments, so that many can share one durable transaction.
package enum SegmentChange: Equatable, Sendable {
    /// Adds a log segment, before the first append to its file; in any state when rebuilding.
    case insert(SegmentRow)

    /// Closes an open one, after both of its files were synced.
    case seal(StreamID, first: FragmentNumber, SegmentExtent)

    /// Closes an open one whose sync failed; `extent` covers the durable fragments, `nil` when none.
    case markSuspect(
        StreamID,
        first: FragmentNumber,
        durableByteCount: UInt64,
        extent: SegmentExtent?
    )

    /// Makes log segments invisible, before their files are unlinked. Those marked stay marked.
    case markDeleting(StreamID, [FragmentNumber])

    /// Forgets log segments, after their files are gone for certain. Unknown ones are passed over.
    case remove(StreamID, [FragmentNumber])
}

package import MediaModel

/// What the catalog knows of one stream; everything that must survive is in its `stream.json`.
package struct StreamRow: Equatable, Sendable {
    /// The stream's identity on disk.
    package var id: StreamID

    /// Its name, unique among the streams in the catalog.
    package var name: StreamName

    /// Who may write.
    package var owner: OwnerEpoch

    /// How many bytes of `events.log` the catalog has taken in.
    package var eventsOffset: UInt64

    /// The greatest session id ever recorded, expired ones included; `nil` when there was none.
    package var maxSessionID: UInt64?

    /// Sums over its log segments.
    package var totals: SegmentTotals
}

package import MediaModel

/// One record of a stream's `events.log`.
package enum CatalogEvent: Equatable, Sendable {
    /// A producer session began.
    case sessionOpened(
        id: UInt64,
        protocolName: String,
        peer: String,
        clockSource: ClockSource,
        at: Timestamp
    )

    /// A producer session ended; one that the catalog does not have is passed over.
    case sessionEnded(id: UInt64, at: Timestamp)

    /// A stretch without footage.
    case gap(Gap)
}

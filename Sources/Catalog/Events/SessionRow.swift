package import MediaModel

/// One producer session as `events.log` tells it.
package struct SessionRow: Equatable, Sendable {
    /// The stream it sent to.
    package var stream: StreamID

    /// Counts up per stream.
    package var id: UInt64

    /// How the producer spoke, as in `events.log`.
    package var protocolName: String

    /// The producer's address, as in `events.log`.
    package var peer: String

    /// Where its producer timestamps come from.
    package var clockSource: ClockSource

    /// Server time of its opening.
    package var opened: Timestamp

    /// Server time of its end; `nil` while it is open, and for one that a crash ended.
    package var ended: Timestamp?

    /// A row from its parts.
    package init(
        stream: StreamID,
        id: UInt64,
        protocolName: String,
        peer: String,
        clockSource: ClockSource,
        opened: Timestamp,
        ended: Timestamp? = nil
    ) {
        self.stream = stream
        self.id = id
        self.protocolName = protocolName
        self.peer = peer
        self.clockSource = clockSource
        self.opened = opened
        self.ended = ended
    }
}

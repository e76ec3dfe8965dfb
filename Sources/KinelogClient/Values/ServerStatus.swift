/// A server and its streams at a glance.
public struct ServerStatus: Codable, Hashable, Sendable {
    /// The server's clock, RFC 3339.
    public var now: String

    /// Producers connected.
    public var sessions: Int64

    /// Producers that may be connected at a time.
    public var sessionsMax: Int64

    /// Memory that open fragments take, in bytes.
    public var openFragmentBytes: Int64

    /// Memory that they may take.
    public var openFragmentBytesMax: Int64

    /// Bytes that the server may still write; `nil` when its disk cannot be asked.
    public var diskFreeBytes: UInt64?

    /// Bytes of the disk in all.
    public var diskBytes: UInt64?

    /// Streams that could not be opened, by their identity, and why.
    public var damagedStreams: [String: String]?

    /// Log segments that could not be brought into order at the start, as `stream/first number`, and
    /// why; nothing of them is served.
    public var damagedSegments: [String: String]?

    /// All streams, sorted by name.
    public var streams: [StreamDescription]
}

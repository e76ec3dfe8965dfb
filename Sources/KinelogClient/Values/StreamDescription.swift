/// A stream as the server describes it.
public struct StreamDescription: Codable, Hashable, Sendable {
    /// Its name, unique on the server.
    public var name: String

    /// Its identity; another one after a stream has been deleted and made again.
    public var id: String

    /// When it was made, RFC 3339.
    public var createdAt: String

    /// Hours that footage is kept; 0 keeps a short ring for live readers only.
    public var retentionHours: Int

    /// Bytes of footage kept at most; `nil` for no such limit.
    public var maxBytes: Int64?

    /// Why expiry by age is paused; `nil` while it is not.
    public var retentionPaused: String?

    /// Whether producers may send.
    public var recording: Bool?

    /// What the footage is, as its maker stated it.
    public var mediaType: String?

    /// Fragments are cut at the first sync sample at or after this length.
    public var minimumFragmentMs: Int?

    /// When a fragment counts as persisted: `sync`, `interval` or `none`.
    public var durability: String?

    /// Over how long syncs are batched, for `interval`.
    public var durabilityIntervalMs: Int?

    /// How many holds keep footage from being deleted.
    public var holds: Int?

    /// Keys and values of the operator's choice.
    public var tags: [String: String]?

    /// The oldest fragment kept; lists of streams leave it out.
    public var oldest: StreamEnd?

    /// The newest durable fragment.
    public var newest: StreamEnd?
}

/// The first or the last fragment of a stream.
public struct StreamEnd: Codable, Hashable, Sendable {
    /// 47 decimal digits.
    public var fragmentNumber: String

    /// Capture time of its first sample, RFC 3339.
    public var producerTimestamp: String

    /// The server's clock when its first byte arrived, RFC 3339.
    public var serverTimestamp: String

    /// How long it plays, in milliseconds.
    public var durationMs: Int64
}

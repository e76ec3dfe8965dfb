import MediaModel

/// A stored fragment as the server lists it.
public struct Fragment: Codable, Hashable, Sendable {
    /// The fragment's identity and order in its stream: 47 decimal digits.
    public var fragmentNumber: String

    /// Capture time of its first sample, RFC 3339.
    public var producerTimestamp: String

    /// The server's clock when its first byte arrived, RFC 3339.
    public var serverTimestamp: String

    /// How long it plays, in milliseconds.
    public var durationMs: Int64

    /// How many bytes it takes as it is served.
    public var sizeBytes: Int64

    /// What players must know, such as `dependent` or `incomplete`.
    public var flags: [String]

    /// The tags its producer sent with it.
    public var tags: [String: String]

    /// Reads the server's form; absent flags and tags count as none.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        fragmentNumber = try fields.decode(String.self, forKey: .fragmentNumber)
        producerTimestamp = try fields.decode(String.self, forKey: .producerTimestamp)
        serverTimestamp = try fields.decode(String.self, forKey: .serverTimestamp)
        durationMs = try fields.decode(Int64.self, forKey: .durationMs)
        sizeBytes = try fields.decode(Int64.self, forKey: .sizeBytes)
        flags = try fields.decodeIfPresent([String].self, forKey: .flags) ?? []
        tags = try fields.decodeIfPresent([String: String].self, forKey: .tags) ?? [:]
    }

    /// ``producerTimestamp`` in milliseconds since 1970; `nil` when it is no RFC 3339 time.
    public var producerMilliseconds: Int64? {
        Timestamp(rfc3339: producerTimestamp)?.milliseconds
    }

    /// ``serverTimestamp`` in milliseconds since 1970; `nil` when it is no RFC 3339 time.
    public var serverMilliseconds: Int64? {
        Timestamp(rfc3339: serverTimestamp)?.milliseconds
    }
}

/// A part of a list of fragments.
public struct FragmentPage: Codable, Hashable, Sendable {
    /// The fragments, in the order of the list's clock.
    public var fragments: [Fragment]

    /// What to ask with for the next part; `nil` after the last one.
    public var nextCursor: String?
}

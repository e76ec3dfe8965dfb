/// What a push has stored, after all its commits.
public struct PushReceipt: Codable, Hashable, Sendable {
    /// How many fragments are durable.
    public var fragments: Int64

    /// How many bytes they take.
    public var sizeBytes: Int64

    /// What of the media was not stored, and why.
    public var gaps: [FootageGap]

    /// Reads the server's form; absent gaps count as none.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        fragments = try fields.decode(Int64.self, forKey: .fragments)
        sizeBytes = try fields.decode(Int64.self, forKey: .sizeBytes)
        gaps = try fields.decodeIfPresent([FootageGap].self, forKey: .gaps) ?? []
    }
}

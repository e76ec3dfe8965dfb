/// A stream to be made.
public struct NewStream: Codable, Hashable, Sendable {
    /// 1 to 256 characters of a-z, A-Z, 0-9, `_`, `.` and `-`.
    public var name: String

    /// Hours that footage is kept; `nil` for the server's default of 24, 0 for a short ring only.
    public var retentionHours: Int?

    /// Bytes of footage kept at most; `nil` for no such limit.
    public var maxBytes: Int64?

    /// Keys and values of the operator's choice.
    public var tags: [String: String]?

    /// A stream with the server's defaults.
    public init(
        name: String,
        retentionHours: Int? = nil,
        maxBytes: Int64? = nil,
        tags: [String: String]? = nil
    ) {
        self.name = name
        self.retentionHours = retentionHours
        self.maxBytes = maxBytes
        self.tags = tags
    }
}

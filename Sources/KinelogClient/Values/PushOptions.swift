/// What a producer says about the media it sends.
public struct PushOptions: Hashable, Sendable {
    /// Capture time of the first sample in milliseconds since 1970; `nil` lets the server estimate
    /// it from arrival.
    public var startMilliseconds: Int64?

    /// The media type of the bytes, such as `video/mp2t`; `nil` lets the server look at them.
    public var contentType: String?

    /// Options, each unset unless given.
    public init(
        startMilliseconds: Int64? = nil,
        contentType: String? = nil
    ) {
        self.startMilliseconds = startMilliseconds
        self.contentType = contentType
    }
}

/// Where a stream has footage in a range of time, and where and why it has none.
public struct FootageTimeline: Codable, Hashable, Sendable {
    /// A stretch with footage.
    public struct Span: Codable, Hashable, Sendable {
        /// Where it begins, in milliseconds since 1970.
        public var fromMs: Int64

        /// Where it ends.
        public var toMs: Int64

        /// How many fragments it has.
        public var fragments: Int64

        /// How many bytes they take.
        public var bytes: Int64
    }

    /// The clock of the spans: `producer` or `server`.
    public var by: String

    /// Where the range begins, in milliseconds since 1970; `nil` when it begins with the stream.
    public var fromMs: Int64?

    /// Where the range ends; `nil` when it ends with the stream.
    public var toMs: Int64?

    /// Stretches with footage, in order.
    public var spans: [Span]

    /// Stretches without, in order.
    public var gaps: [FootageGap]
}

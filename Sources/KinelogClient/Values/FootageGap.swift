/// A stretch of a stream without footage, and why.
public struct FootageGap: Codable, Hashable, Sendable {
    /// Where it begins, in milliseconds since 1970 on its clock.
    public var fromMs: Int64

    /// Where it ends; equal to ``fromMs`` when its length is not known.
    public var toMs: Int64

    /// The clock that the two are on: `producer` or `server`.
    public var clock: String

    /// Why there is no footage, such as `disconnect`, `crash` or `disk-full`.
    public var reason: String

    /// The producer session concerned; `nil` when none is.
    public var session: UInt64?

    /// The newest fragment before it; `nil` when there is none.
    public var afterNumber: String?

    /// How many samples were refused or lost, as far as known.
    public var samples: Int64?

    /// How many bytes were refused or lost, as far as known.
    public var bytes: Int64?
}

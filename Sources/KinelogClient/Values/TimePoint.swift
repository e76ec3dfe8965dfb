import MediaModel

/// A time in a query: an instant, or one that depends on what the stream holds.
public struct TimePoint: Hashable, Sendable, CustomStringConvertible {
    /// The time as it is sent to the server.
    public let text: String

    /// The time as it is sent to the server.
    public var description: String { text }

    /// The later of the server's clock and the end of the stream's newest fragment.
    public static let now = TimePoint(unchecked: "now")

    /// The start of the oldest fragment that is kept.
    public static let earliest = TimePoint(unchecked: "earliest")

    /// An instant in milliseconds since 1970-01-01T00:00:00Z.
    ///
    /// Negative values and those past the year 9999 are held at these ends.
    public static func milliseconds(_ value: Int64) -> TimePoint {
        let last = Timestamp.endOfTime.milliseconds - 1
        return TimePoint(unchecked: String(min(max(value, 0), last)))
    }

    /// So many milliseconds before ``now``; negative values count as zero.
    public static func ago(milliseconds: Int64) -> TimePoint {
        TimePoint(unchecked: "-\(max(milliseconds, 0))ms")
    }

    /// What a text may look like, for messages.
    public static let acceptedForms = TimeReference.acceptedForms

    /// Reads a time as people write it.
    ///
    /// - Parameter text: One of ``acceptedForms``.
    /// - Throws: ``KinelogClientError/Code/badArgument`` when the text has none of the forms.
    public init(_ text: String) throws(KinelogClientError) {
        guard TimeReference(text) != nil else {
            throw KinelogClientError(
                .badArgument,
                "'\(text)' is no time; write \(Self.acceptedForms)."
            )
        }
        self.text = text
    }

    private init(unchecked text: String) { self.text = text }
}

/// One of the two clocks on which fragments are timed.
public enum FragmentClock: String, Hashable, Sendable, CaseIterable {
    /// Capture time as the producer states it, or as it is estimated for it.
    case producer
    /// The server's clock when the fragment's first byte arrived.
    case server
}

/// A range of time `[from, to)` on one of the two clocks.
public struct TimeRange: Hashable, Sendable {
    /// Where the range begins; `nil` leaves it to the operation.
    public var from: TimePoint?

    /// Where it ends, itself not included; `nil` leaves it open.
    public var to: TimePoint?

    /// Which clock the two are on.
    public var clock: FragmentClock

    /// A range from its ends.
    public init(from: TimePoint? = nil, to: TimePoint? = nil, clock: FragmentClock = .producer) {
        self.from = from
        self.to = to
        self.clock = clock
    }
}

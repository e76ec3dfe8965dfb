import KinelogClient
import MediaModel

/// Goes through the fragments of a stream from a time on, asking for them a page at a time.
///
/// What the times mean is settled once, at the start: a replay takes as long as its footage, and
/// 'now' and '-5m' would move on meanwhile.
struct FragmentWalk {
    private static let pageLength = 100

    /// Whether it goes on with fragments that are still to come.
    let follows: Bool

    private let client: KinelogClient
    private let name: String
    private var range: TimeRange
    private var page: ArraySlice<Fragment> = []
    private var cursor: String?
    private var hasMore = true
    /// The first fragment when following, until it has been given.
    private var first: Fragment?
    /// The last fragment given.
    private var last: Fragment?

    /// A walk before the first fragment.
    ///
    /// - Parameters:
    ///   - name: The stream.
    ///   - from: Where to begin.
    ///   - until: Where to end; `nil` to go on with what is still to come. Until then fragments come
    ///     in the order of their times, else in that of their numbers.
    ///   - clock: The clock that the times are on.
    ///   - client: Whom to ask.
    /// - Throws: ``KinelogClientError``.
    init(
        _ name: String,
        from: TimeReference,
        until: TimeReference?,
        clock: FragmentClock,
        _ client: KinelogClient
    ) async throws {
        self.name = name
        self.client = client
        follows = until == nil
        let now = try await client.now(of: name, on: clock)
        func point(_ time: TimeReference) -> TimePoint {
            if time == .earliest { return .earliest }
            let zero = Timestamp(milliseconds: 0)
            return .milliseconds(
                time.resolved(now: Timestamp(milliseconds: now), earliest: zero).milliseconds
            )
        }
        range = TimeRange(from: point(from), to: until.map(point), clock: clock)
        // The first of all is the one of the smallest number.
        if follows, from == .earliest { range.clock = .server }
    }

    /// The next fragment; `nil` at the end, or as long as there is none when following.
    ///
    /// - Throws: ``KinelogClientError``.
    mutating func next() async throws -> Fragment? {
        if follows, last == nil, first == nil, try await !findFirst() { return nil }
        while true {
            while let fragment = page.popFirst() {
                guard isAhead(fragment) else { continue }
                last = fragment
                return fragment
            }
            guard hasMore else {
                if follows { lookAgain() }
                return nil
            }
            let next = try await client.fragmentPage(
                of: name,
                in: range,
                limit: Self.pageLength,
                after: cursor
            )
            page = next.fragments[...]
            // A cursor that stands still would ask for ever.
            hasMore = next.nextCursor != nil && next.nextCursor != cursor
            cursor = next.nextCursor
        }
    }

    /// Finds where following begins; from there on numbers tell what comes next.
    private mutating func findFirst() async throws -> Bool {
        let found = try await client.fragmentPage(of: name, in: range, limit: 1)
        guard let fragment = found.fragments.first, let server = fragment.serverMilliseconds else {
            return false
        }
        first = fragment
        range = TimeRange(from: .milliseconds(server), clock: .server)
        return true
    }

    /// Asks the next time for what has come since the last fragment.
    private mutating func lookAgain() {
        if let server = last?.serverMilliseconds { range.from = .milliseconds(server) }
        cursor = nil
        hasMore = true
    }

    /// Numbers have one length, so that their texts are ordered as they are.
    private func isAhead(_ fragment: Fragment) -> Bool {
        guard follows else { return true }
        if let last { return fragment.fragmentNumber > last.fragmentNumber }
        return fragment.fragmentNumber >= first?.fragmentNumber ?? ""
    }
}

import FragmentLog
import MediaModel

/// The fragments of a stretch of time, one after another, a page of the index at a time.
struct FragmentRange: Sendable {
    private static let pageLength = 256

    private let stream: StreamLog
    private var query: FragmentQuery
    private var page: ArraySlice<FragmentRecord>
    private var isLastPage: Bool

    /// Reads the first page.
    ///
    /// - Parameters:
    ///   - stream: The stream.
    ///   - range: The stretch; fragments that overlap it are given.
    ///   - clock: The clock it is on, which also orders the fragments.
    ///   - startsAtSync: Whether to give, before a dependent first fragment, those it needs.
    /// - Throws: What the log throws.
    init(
        _ stream: StreamLog,
        _ range: Range<Timestamp>,
        _ clock: StreamClock,
        startsAtSync: Bool = true
    ) async throws(LogError) {
        self.stream = stream
        query = FragmentQuery(range: range, clock: clock, limit: Self.pageLength)
        let first = try await stream.fragments(query)
        page = first.fragments[...]
        query.after = first.next
        isLastPage = first.next == nil
        if startsAtSync, let record = page.first, record.flags.contains(.dependent) {
            let before = try await SyncStart.chain(
                stream,
                record.number,
                record.server,
                record.session
            )
            page = (before + page)[...]
        }
    }

    /// The next fragment; `nil` after the last.
    mutating func next() async throws(LogError) -> FragmentRecord? {
        while page.isEmpty {
            if isLastPage { return nil }
            let next = try await stream.fragments(query)
            page = next.fragments[...]
            query.after = next.next
            isLastPage = next.next == nil
        }
        return page.popFirst()
    }
}

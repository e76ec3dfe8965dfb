/// The fragments of a range, asked for as they are gone through.
public struct FragmentList: AsyncSequence, Sendable {
    let client: KinelogClient
    let name: String
    let range: TimeRange

    /// Begins at the first fragment.
    public func makeAsyncIterator() -> Iterator { Iterator(list: self) }

    /// Gives one fragment after another.
    public struct Iterator: AsyncIteratorProtocol {
        let list: FragmentList
        private var page: ArraySlice<Fragment> = []
        private var cursor: String?
        private var isLast = false

        init(list: FragmentList) { self.list = list }

        /// The next fragment; `nil` after the last one.
        ///
        /// - Throws: ``KinelogClientError`` when there is no answer or it is a refusal.
        public mutating func next() async throws -> Fragment? {
            while page.isEmpty, !isLast {
                let next = try await list.client.fragmentPage(
                    of: list.name,
                    in: list.range,
                    after: cursor
                )
                page = next.fragments[...]
                // A cursor that stands still would ask for ever.
                isLast = next.nextCursor == nil || next.nextCursor == cursor
                cursor = next.nextCursor
            }
            return page.popFirst()
        }
    }
}

import NIOHTTP1

extension KinelogClient {
    /// The most fragments asked for at a time.
    public static let pageSizeMax = 1000

    /// Lists one part of the fragments that overlap a range of time.
    ///
    /// - Parameters:
    ///   - name: The stream.
    ///   - range: Open ends reach to the stream's ends.
    ///   - limit: How many fragments at most; 1 to ``pageSizeMax``.
    ///   - cursor: ``FragmentPage/nextCursor`` of the part before; `nil` for the first.
    /// - Returns: The fragments and where the next part begins.
    /// - Throws: ``KinelogClientError`` when there is no answer or it is a refusal.
    public func fragmentPage(
        of name: String,
        in range: TimeRange = TimeRange(),
        limit: Int = pageSizeMax,
        after cursor: String? = nil
    ) async throws(KinelogClientError) -> FragmentPage {
        var target = RequestTarget("streams", name, "fragments")
        target.query(range)
        target.query("limit", String(limit))
        target.query("cursor", cursor)
        return try await ask(
            FragmentPage.self,
            .GET,
            target,
            "list the fragments of stream '\(name)'"
        )
    }

    /// Lists the fragments that overlap a range of time, however many there are.
    ///
    /// - Parameters:
    ///   - name: The stream.
    ///   - range: Open ends reach to the stream's ends.
    /// - Returns: The fragments, asked for part by part as they are gone through.
    public func fragments(of name: String, in range: TimeRange = TimeRange()) -> FragmentList {
        FragmentList(client: self, name: name, range: range)
    }
}

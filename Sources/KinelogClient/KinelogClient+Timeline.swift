import NIOHTTP1

extension KinelogClient {
    /// Tells where a stream has footage in a range of time, and where and why it has none.
    ///
    /// - Parameters:
    ///   - name: The stream.
    ///   - range: Open ends reach to the stream's ends.
    ///   - resolutionMs: Holes between fragments up to this length do not end a span.
    /// - Returns: Both, in order of time.
    /// - Throws: ``KinelogClientError`` when there is no answer or it is a refusal.
    public func timeline(
        of name: String,
        in range: TimeRange = TimeRange(),
        resolutionMs: Int64? = nil
    ) async throws(KinelogClientError) -> FootageTimeline {
        var target = RequestTarget("streams", name, "timeline")
        target.query(range)
        target.query("resolution", resolutionMs.map { String($0) })
        return try await ask(
            FootageTimeline.self,
            .GET,
            target,
            "read the timeline of stream '\(name)'"
        )
    }
}

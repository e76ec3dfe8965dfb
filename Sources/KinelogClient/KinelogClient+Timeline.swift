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

    /// Tells what `now` means for a stream, for those who count back from it for longer than a
    /// request.
    ///
    /// - Parameters:
    ///   - name: The stream.
    ///   - clock: One of its clocks.
    /// - Returns: The later of the server's clock and the end of the newest fragment, in milliseconds
    ///   since 1970.
    /// - Throws: ``KinelogClientError`` when there is no answer or it is a refusal.
    public func now(
        of name: String,
        on clock: FragmentClock = .producer
    ) async throws(KinelogClientError) -> Int64 {
        let timeline = try await timeline(of: name, in: TimeRange(from: .now, clock: clock))
        if let now = timeline.fromMs { return now }
        throw KinelogClientError(
            .unexpectedAnswer,
            "\(server) does not say where its timelines begin; it is of an older version."
        )
    }
}

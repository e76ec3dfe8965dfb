import NIOHTTP1

extension KinelogClient {
    /// Lists the streams of the server, sorted by name.
    ///
    /// - Throws: ``KinelogClientError`` when there is no answer or it is a refusal.
    public func streams() async throws(KinelogClientError) -> [StreamDescription] {
        var streams: [StreamDescription] = []
        var cursor: String?
        while true {
            var target = RequestTarget("streams")
            target.query("cursor", cursor)
            let page = try await ask(StreamPage.self, .GET, target, "list the streams")
            streams += page.streams
            // A cursor that stands still would ask for ever.
            guard let next = page.nextCursor, next != cursor else { return streams }
            cursor = next
        }
    }

    /// Describes one stream.
    ///
    /// - Throws: ``KinelogClientError/Code/notFound`` when there is no such stream.
    public func stream(_ name: String) async throws(KinelogClientError) -> StreamDescription {
        try await ask(
            StreamDescription.self,
            .GET,
            RequestTarget("streams", name),
            "describe stream '\(name)'"
        )
    }

    /// Makes a stream.
    ///
    /// - Throws: ``KinelogClientError/Code/conflict`` when the name is taken.
    public func createStream(
        _ stream: NewStream
    ) async throws(KinelogClientError) -> StreamDescription {
        try await ask(
            StreamDescription.self,
            .POST,
            RequestTarget("streams"),
            body: stream,
            "create stream '\(stream.name)'"
        )
    }

    /// Deletes a stream with all its footage.
    ///
    /// - Throws: ``KinelogClientError/Code/conflict`` when a hold keeps some of it.
    public func deleteStream(_ name: String) async throws(KinelogClientError) {
        try await exchange(.DELETE, RequestTarget("streams", name), "delete stream '\(name)'")
    }

    /// Lets expiry by age go on where distrust of the clock, or a repair, paused it.
    ///
    /// - Throws: ``KinelogClientError/Code/notFound`` when there is no such stream.
    public func resumeRetention(
        of name: String
    ) async throws(KinelogClientError) -> StreamDescription {
        try await ask(
            StreamDescription.self,
            .POST,
            RequestTarget("streams", name, "resume-retention"),
            "resume the retention of stream '\(name)'"
        )
    }

    private struct StreamPage: Decodable {
        var streams: [StreamDescription]
        var nextCursor: String?
    }
}

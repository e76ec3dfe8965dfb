import NIOHTTP1

extension KinelogClient {
    /// Tells how the server and its streams are.
    ///
    /// - Throws: ``KinelogClientError`` when there is no answer or it is a refusal.
    public func status() async throws(KinelogClientError) -> ServerStatus {
        try await ask(ServerStatus.self, .GET, RequestTarget("status"), "ask for the status")
    }

    /// Has the server check everything that it stores, while it goes on taking and giving footage.
    ///
    /// - Returns: What was covered and found, after as long as that takes.
    /// - Throws: ``KinelogClientError`` when there is no answer or it is a refusal.
    public func verify() async throws(KinelogClientError) -> ArchiveReport {
        try await ask(
            ArchiveReport.self,
            .POST,
            RequestTarget("verify"),
            "check what is stored",
            .endless
        )
    }
}

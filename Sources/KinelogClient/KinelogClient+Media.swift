import AsyncHTTPClient
import NIOHTTP1

extension KinelogClient {
    /// Fetches a range of a stream's footage as Matroska, or follows it live.
    ///
    /// The answer is a document after another: a new one begins where codec settings change.
    ///
    /// - Parameters:
    ///   - name: The stream.
    ///   - range: Every fragment that overlaps it is given. Without `from` the footage begins at the
    ///     live edge, without `to` it goes on for as long as the stream does.
    /// - Returns: The footage on its way.
    /// - Throws: ``KinelogClientError`` when there is no answer or it is a refusal.
    public func media(
        of name: String,
        in range: TimeRange
    ) async throws(KinelogClientError) -> MediaDownload {
        let attempt = "fetch footage of stream '\(name)'"
        var target = RequestTarget("streams", name, "media")
        target.query(range)
        let patience: Patience = range.to == nil ? .endless : .steady
        let response = try await send(request(.GET, target), attempt, patience)
        return MediaDownload(response, attempt, server)
    }

    /// Fetches one fragment as a Matroska document of its own.
    ///
    /// - Parameters:
    ///   - number: The fragment's 47 digits.
    ///   - name: The stream.
    /// - Returns: The footage on its way.
    /// - Throws: ``KinelogClientError`` when there is no answer or it is a refusal.
    public func fragmentMedia(
        _ number: String,
        of name: String
    ) async throws(KinelogClientError) -> MediaDownload {
        let attempt = "fetch fragment \(number) of stream '\(name)'"
        let target = RequestTarget("streams", name, "fragments", number)
        let response = try await send(request(.GET, target), attempt, .steady)
        return MediaDownload(response, attempt, server)
    }
}

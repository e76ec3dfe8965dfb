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
    /// Whoever goes through footage fragment by fragment gets one document out of many: given the
    /// fragment before, the answer is what comes behind it, with a header only where it needs one.
    ///
    /// - Parameters:
    ///   - number: The fragment's 47 digits.
    ///   - name: The stream.
    ///   - previous: The fragment before in the document, and the instant of timecode zero, which
    ///     the document's DateUTC names, in milliseconds since 1970; `nil` for a document of its
    ///     own.
    /// - Returns: The footage on its way.
    /// - Throws: ``KinelogClientError`` when there is no answer or it is a refusal.
    public func fragmentMedia(
        _ number: String,
        of name: String,
        after previous: (number: String, zeroMilliseconds: Int64)? = nil
    ) async throws(KinelogClientError) -> MediaDownload {
        let attempt = "fetch fragment \(number) of stream '\(name)'"
        var target = RequestTarget("streams", name, "fragments", number)
        target.query("after", previous?.number)
        target.query("zero", previous.map { String($0.zeroMilliseconds) })
        let response = try await send(request(.GET, target), attempt, .steady)
        return MediaDownload(response, attempt, server)
    }
}

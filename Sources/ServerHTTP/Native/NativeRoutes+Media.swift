import FragmentLog
import HTTPTypes
import MediaModel
import Playback

extension NativeRoutes {
    /// `GET /v1/streams/{name}/media`: the footage of `[from, to)` as Matroska.
    ///
    /// Without `to` it follows live: from `from` on, or from the live edge.
    func media(_ name: StreamName) async throws -> Answer {
        let query = try query("from", "to", "by", "format")
        if let format = query["format"], format != "mkv" { throw unknownFormat(format, "mkv") }
        let stream = try stream(name)
        let clock = try query.clock()
        let time = StreamTime(stream, clock: clock, wall: server.log.now)
        let (from, to) = (try query.time("from"), try query.time("to"))
        let range = try time.range(from: from, to: to)
        let follows = to == nil
        let footage = try await MatroskaStream(
            stream: stream,
            from: from == nil ? nil : range.lowerBound,
            to: follows ? nil : range.upperBound,
            clock: clock,
            follow: follows
        )
        var answer = try await Answer.footage(footage, isEndless: follows)
        answer.headers[.cacheControl] = "no-store"
        return answer
    }
}

import FFmpegMedia
import FragmentLog
import HTTPTypes
import Ingest
import MediaModel
import NIOCore

extension NativeRoutes {
    /// `PUT|POST /v1/streams/{name}/media`: a body of media becomes durable fragments.
    ///
    /// Everything that the head alone can decide is decided before the body is asked for. The
    /// answer comes after all commits; as NDJSON it begins at once and has a line per durable
    /// fragment.
    func push(_ name: StreamName) async throws -> Step {
        let query = try query("startTimestamp", "format")
        var request = PushRequest(peer: exchange.connection.peer)
        request.format = try format(query)
        if let start = try query.time("startTimestamp") {
            request.startTimestamp = try instant(start)
        }
        let stream: StreamLog
        if server.configuration.autoCreate {
            stream = try await server.log.streamCreatingIfMissing(name)
        } else {
            stream = try self.stream(name)
        }
        let accept = exchange.head.headerFields[.accept]?.lowercased() ?? ""
        let isStreamed = accept.contains("application/x-ndjson")
        request.wantsEvents = isStreamed
        let session = try PushSession(
            stream: stream,
            request: request,
            limits: server.configuration.pushLimits,
            logger: exchange.logger
        )
        let exchange = exchange
        return .body {
            isStreamed
                ? PushAnswer(session, stream, exchange).lines()
                : await PushAnswer(session, stream, exchange).whole()
        }
    }

    /// What the producer says the body is; the body's own signature wins over it.
    private func format(_ query: Query) throws(APIError) -> InputFormat? {
        if let text = query["format"] {
            let names: [String: InputFormat] = [
                "ts": .mpegTS, "mkv": .matroska, "webm": .matroska, "flv": .flv, "mp4": .mp4,
                "ogg": .ogg, "aac": .adts,
            ]
            guard let format = names[text] else {
                throw unknownFormat(text, names.keys.sorted().joined(separator: ", "))
            }
            return format
        }
        return exchange.head.headerFields[.contentType].flatMap { InputFormat(mediaType: $0) }
    }

    private func instant(_ start: TimeReference) throws(APIError) -> Timestamp {
        let instant = start.resolved(now: server.log.now, earliest: Timestamp(milliseconds: -1))
        guard instant.milliseconds >= 0, instant < .endOfTime else {
            throw APIError(
                .invalidArgument,
                "'startTimestamp' must lie in the years 1970 to 9999; accepted are \(TimeReference.acceptedForms)."
            )
        }
        return instant
    }
}

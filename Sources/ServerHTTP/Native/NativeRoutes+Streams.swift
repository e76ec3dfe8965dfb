import FragmentLog
import HTTPTypes
import MediaModel

extension NativeRoutes {
    /// `GET /v1/streams`, a page at a time, by name.
    func listStreams() throws -> Answer {
        let query = try query("limit", "cursor")
        let limit = try query.count("limit", in: 1...Int64(server.configuration.pageSizeMax))
        let page = Int(limit ?? Int64(server.configuration.pageSizeMax))
        let after = query["cursor"]
        let streams = server.log.streams().filter { after == nil || $0.name.text > after ?? "" }
        let shown = streams.prefix(page)
        return Answer(
            json: .object([
                "streams": .array(shown.map { StreamShape.json($0) }),
                "nextCursor": shown.count < streams.count
                    ? shown.last.map { .string($0.name.text) } : nil,
            ])
        )
    }

    /// `POST /v1/streams`.
    func createStream() throws -> Step {
        _ = try query()
        return .body { [self] in
            let request = try await json(StreamRequest.self)
            let settings = try request.settings(
                defaultRetentionHours: server.log.configuration.defaultRetentionHours
            )
            let stream = try await server.log.createStream(settings)
            return Answer(
                .created,
                json: StreamShape.json(stream),
                headers: [.location: "/v1/streams/\(stream.name)"]
            )
        }
    }

    /// `GET /v1/streams/{name}`.
    func describeStream(_ name: StreamName) async throws -> Answer {
        _ = try query()
        let stream = try stream(name)
        return Answer(json: StreamShape.json(stream, oldest: try await stream.oldest()))
    }

    /// `PATCH /v1/streams/{name}`: `{"resumeRetention": true}` is all that can be changed yet.
    func updateStream(_ name: StreamName) throws -> Step {
        _ = try query()
        let stream = try stream(name)
        return .body { [self] in
            let change = try await json(StreamChange.self)
            if change.resumeRetention { try await server.log.resumeRetention(of: stream) }
            return Answer(json: StreamShape.json(stream))
        }
    }

    /// `POST /v1/streams/{name}/resume-retention`.
    func resumeRetention(_ name: StreamName) async throws -> Answer {
        _ = try query()
        let stream = try stream(name)
        try await server.log.resumeRetention(of: stream)
        return Answer(json: StreamShape.json(stream))
    }

    /// `DELETE /v1/streams/{name}`.
    func deleteStream(_ name: StreamName) async throws -> Answer {
        _ = try query()
        try await server.log.deleteStream(name)
        return Answer(.noContent)
    }
}

import FragmentLog
import HTTPTypes
import Matroska
import MediaModel
import Playback

extension NativeRoutes {
    /// `GET /v1/streams/{name}/fragments`: fragments that overlap `[from, to)`, a page at a time.
    func listFragments(_ name: StreamName) async throws -> Answer {
        let query = try query("from", "to", "by", "limit", "cursor")
        let stream = try stream(name)
        let clock = try query.clock()
        let time = StreamTime(stream, clock: clock, wall: server.log.now)
        let range = try time.range(from: try query.time("from"), to: try query.time("to"))
        let limit = try query.count("limit", in: 1...Int64(server.configuration.pageSizeMax))
        var after: FragmentPosition?
        if let text = query["cursor"] {
            guard let cursor = PageCursor(text), cursor.clock == clock else {
                throw APIError(
                    .invalidArgument,
                    "'\(text.prefix(200))' is no cursor of this list; use the nextCursor of the page before with the same 'by'."
                )
            }
            after = cursor.position
        }
        let page = try await stream.fragments(
            FragmentQuery(
                range: range,
                clock: clock,
                limit: Int(limit ?? Int64(server.configuration.pageSize)),
                after: after
            )
        )
        var fragments: [JSONValue] = []
        for record in page.fragments {
            do throws(APIError) {
                let tags = try await FragmentShape.tags(of: record, in: stream)
                fragments.append(FragmentShape.json(record, tags: tags))
            } catch {
                // What has gone since the look-up is left out; what is damaged is there, and says
                // so where it is read.
                if error.code == .damaged {
                    fragments.append(FragmentShape.json(record, tags: [:]))
                } else if error.code != .gone {
                    throw error
                }
            }
        }
        return Answer(
            json: .object([
                "fragments": .array(fragments),
                "nextCursor": page.next.map {
                    .string(PageCursor(clock: clock, position: $0).text)
                },
            ])
        )
    }

    /// `GET /v1/streams/{name}/fragments/{number}`: a Matroska document, or its description.
    ///
    /// With `after` and `zero` it is what comes behind that fragment in a document whose timecode
    /// zero is that instant: without a header where it needs none.
    func fragment(_ name: StreamName, _ number: FragmentNumber) async throws -> Answer {
        let query = try query("format", "after", "zero")
        let accept = exchange.head.headerFields[.accept] ?? ""
        let isJSON: Bool
        switch query["format"] {
        case nil: isJSON = accept.lowercased().hasPrefix("application/json")
        case "json": isJSON = true
        case "mkv": isJSON = false
        case let other?: throw unknownFormat(other, "mkv or json")
        }
        let stream = try stream(name)
        let record = try await record(number, in: stream)
        if isJSON {
            let tags = try await FragmentShape.tags(of: record, in: stream)
            return Answer(json: FragmentShape.json(record, tags: tags))
        }
        guard let (previous, zero) = try await continued(query, in: stream) else {
            return try await .footage(FragmentDocument(stream: stream, record: record))
        }
        return try await .footage(
            ContinuedDocument(stream: stream, record: record, after: previous, zero: zero)
        )
    }

    /// The document that a fragment is to go on with; `nil` when it begins one, also because the
    /// fragment before is no longer kept.
    private func continued(
        _ query: Query,
        in stream: StreamLog
    ) async throws -> (after: FragmentRecord, zero: Timestamp)? {
        guard let after = query["after"], let zero = query["zero"] else {
            guard query["after"] == nil, query["zero"] == nil else {
                throw APIError(.invalidArgument, "'after' and 'zero' are given together.")
            }
            return nil
        }
        // A document may begin a little before 1970.
        guard let number = FragmentNumber(after), let zero = Int64(zero) else {
            throw APIError(
                .invalidArgument,
                "'after' is a fragment number and 'zero' an instant in ms since 1970."
            )
        }
        return try await stream.fragment(number).map { ($0, Timestamp(milliseconds: zero)) }
    }

    /// `GET /v1/streams/{name}/fragments/{number}/samples`: the sample table.
    func samples(_ name: StreamName, _ number: FragmentNumber) async throws -> Answer {
        _ = try query()
        let stream = try stream(name)
        let record = try await record(number, in: stream)
        let table = try await Playback.samples(stream: stream, record: record)
        return Answer(json: SampleShape.json(table, of: record))
    }

    /// `GET /v1/streams/{name}/timeline`: merged spans of footage, and gaps with their reasons.
    func timeline(_ name: StreamName) async throws -> Answer {
        let query = try query("from", "to", "by", "resolution", "limit")
        let stream = try stream(name)
        let clock = try query.clock()
        let time = StreamTime(stream, clock: clock, wall: server.log.now)
        let range = try time.range(from: try query.time("from"), to: try query.time("to"))
        let entriesMax = Int64(server.configuration.timelineEntriesMax)
        let timeline = try await Timeline.load(
            stream: stream,
            range: range,
            clock: clock,
            resolutionMs: try query.count("resolution", in: 0...86_400_000) ?? 0,
            limit: Int(try query.count("limit", in: 1...entriesMax) ?? entriesMax)
        )
        return Answer(json: TimelineShape.json(timeline, of: range, clock: clock))
    }

    /// The error for a format that a resource does not have.
    func unknownFormat(_ text: String, _ known: String) -> APIError {
        APIError(
            .invalidArgument,
            "There is no format '\(text.prefix(50))' here; 'format' is \(known)."
        )
    }
}

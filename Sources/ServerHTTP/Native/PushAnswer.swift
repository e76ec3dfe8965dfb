import FragmentLog
import HTTPTypes
import Ingest
import NIOCore

/// Runs a push and tells its producer what became of it.
struct PushAnswer: Sendable {
    private let session: PushSession
    private let stream: StreamLog
    private let exchange: Exchange

    init(_ session: PushSession, _ stream: StreamLog, _ exchange: Exchange) {
        self.session = session
        self.stream = stream
        self.exchange = exchange
    }

    /// One JSON object, after all commits.
    func whole() async -> Answer {
        let outcome = await session.run(exchange.body)
        let summary = Self.members(outcome.summary)
        guard let error = outcome.error else { return Answer(json: .object(summary)) }
        return ErrorAnswer.native(APIError(error), id: exchange.id, extra: summary)
    }

    /// A line per durable fragment, and one with the end.
    func lines() -> Answer {
        Answer(
            contentType: "application/x-ndjson",
            stream: Answer.Stream { writer in
                async let outcome = session.run(exchange.body)
                for await event in session.events {
                    guard case .persisted(let record) = event else { continue }
                    let tags = (try? await FragmentShape.tags(of: record, in: stream)) ?? [:]
                    try await writer.write(
                        Self.line("persisted", FragmentShape.members(record, tags: tags))
                    )
                }
                let end = await outcome
                var members = Self.members(end.summary)
                if let error = end.error {
                    members.append(
                        JSONValue.Member(
                            "error",
                            ErrorAnswer.object(APIError(error), id: exchange.id)
                        )
                    )
                }
                try await writer.write(Self.line("end", members))
            }
        )
    }

    private static func members(_ summary: PushSummary) -> [JSONValue.Member] {
        [
            JSONValue.Member("fragments", .integer(Int64(summary.fragmentCount))),
            JSONValue.Member("sizeBytes", .unsigned(summary.sizeBytes)),
            JSONValue.Member("gaps", .array(summary.gaps.map { FragmentShape.json($0) })),
        ]
    }

    private static func line(_ event: String, _ members: [JSONValue.Member]) -> ByteBuffer {
        var line = JSONValue.object([JSONValue.Member("event", .string(event))] + members).bytes
        line.writeInteger(UInt8(ascii: "\n"))
        return line
    }
}

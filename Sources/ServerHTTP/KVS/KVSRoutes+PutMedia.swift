import FragmentLog
import HTTPTypes
import Ingest
import Logging
import NIOCore

extension KVSRoutes {
    /// PutMedia: headers first, then 200 at once, then acknowledgements while the body comes (KVS 2).
    func putMedia() async throws -> Step {
        let fields = exchange.head.headerFields
        func field(_ name: String) -> String? { fields[.known(name)] }
        let (name, arn) = (field("x-amzn-stream-name"), field("x-amzn-stream-arn"))
        guard (name == nil) != (arn == nil) else {
            throw APIError(
                .invalidArgument,
                "Send exactly one of x-amzn-stream-name and x-amzn-stream-arn."
            )
        }
        let request = try PutMediaRequest(
            timecodeType: field("x-amzn-fragment-timecode-type"),
            startTimestamp: field("x-amzn-producer-start-timestamp"),
            acknowledgementRequired: field("x-amzn-fragment-acknowledgment-required"),
            userAgent: fields[.userAgent],
            peer: exchange.connection.peer
        )
        let stream = try stream(name: name, arn: arn)
        let session = try PutMediaSession(
            stream: stream,
            request: request,
            limits: server.configuration.putMediaLimits,
            logger: exchange.logger
        )
        let exchange = exchange
        return .body(pauses: true) {
            var answer = Answer(
                contentType: "application/json",
                stream: Answer.Stream { writer in
                    try await Self.acknowledge(session, exchange, writer)
                }
            )
            // Clients open a new connection for the next session anyway (KVS 2.2).
            answer.closesConnection = true
            return answer
        }
    }

    /// Takes the body and writes each acknowledgement as a chunk of its own.
    private static func acknowledge(
        _ session: PutMediaSession,
        _ exchange: Exchange,
        _ writer: PacedWriter
    ) async throws {
        async let result = session.run(exchange.body)
        for await acknowledgement in session.acknowledgements {
            try await writer.write(acknowledgement.json)
        }
        let (end, summary) = await result
        exchange.logger.debug(
            "PutMedia ended",
            metadata: ["end": "\(end)", "fragments": "\(summary.fragmentCount)"]
        )
    }
}

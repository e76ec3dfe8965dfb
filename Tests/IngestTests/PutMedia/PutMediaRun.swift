import FragmentLog
import Ingest
import NIOCore

/// One PutMedia connection and what came back over it.
struct PutMediaRun {
    var end: PutMediaSession.End
    var acks: [PutMediaAck]
    var summary: PushSummary

    /// The acknowledgements without numbers, in a form that is short to compare, but for IDLE, which
    /// a busy machine may cause at any time.
    var lines: [String] { all.filter { $0 != "I" } }

    private var all: [String] {
        acks.map { ack in
            switch ack {
            case .buffering(let timecode, _): "B\(timecode)"
            case .received(let timecode, _): "R\(timecode)"
            case .persisted(let timecode, _): "P\(timecode)"
            case .error(let failure, let timecode, _):
                "E\(failure.rawValue)" + (timecode.map { "@\($0)" } ?? "")
            case .idle: "I"
            }
        }
    }

    /// The acknowledgements of one kind.
    func only(_ kind: Character) -> [String] { all.filter { $0.first == kind } }
}

extension IngestBench {
    /// Sends a body over a connection of its own.
    func put(
        _ bytes: [UInt8],
        timecodes: PutMediaRequest.Timecodes = .absolute,
        acknowledgements: Bool = true,
        chunk: Int = 1000,
        breaksWith error: (any Error)? = nil,
        limits: PutMediaLimits = PutMediaLimits()
    ) async throws -> PutMediaRun {
        try await put(
            ChunkedBody(ByteBuffer(bytes: bytes), chunk: chunk, error: error),
            timecodes: timecodes,
            acknowledgements: acknowledgements,
            limits: limits
        )
    }

    func put<Body: AsyncSequence & Sendable>(
        _ body: Body,
        timecodes: PutMediaRequest.Timecodes = .absolute,
        acknowledgements: Bool = true,
        limits: PutMediaLimits = PutMediaLimits()
    ) async throws -> PutMediaRun where Body.Element == ByteBuffer {
        let session = try PutMediaSession(
            stream: stream,
            request: PutMediaRequest(
                timecodes: timecodes,
                wantsAcknowledgements: acknowledgements,
                peer: "test"
            ),
            limits: limits,
            logger: Self.logger
        )
        async let acks = session.acknowledgements.reduce(into: []) { $0.append($1) }
        let (end, summary) = await session.run(body)
        return PutMediaRun(end: end, acks: await acks, summary: summary)
    }
}

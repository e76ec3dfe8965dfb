import FoundationEssentials
import NIOCore
import TestSupport

/// A PutMedia connection as its client sees it.
final class PutMedia: Sendable {
    /// What the server says of a fragment or of the connection.
    struct Ack: Decodable, Equatable, Sendable {
        var EventType: String
        var FragmentTimecode: UInt64?
        var FragmentNumber: String?
        var ErrorCode: String?
        var ErrorId: Int?
    }

    let client: RawClient

    /// Sends the head and waits for that of the answer.
    ///
    /// Blocks.
    ///
    /// - Parameters:
    ///   - port: The server's.
    ///   - stream: The stream, which exists.
    ///   - start: What a timecode of zero stands for, in seconds since 1970; `nil` for absolute
    ///     timecodes.
    /// - Throws: When the server does not answer with 200.
    init(_ port: Int, _ stream: String, start: Int? = nil) throws {
        client = try RawClient(port: port)
        var head = "POST /putMedia HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"
        for line in Self.headers(stream, start: start) { head += line + "\r\n" }
        try client.send(head + "\r\n")
        let answer = try client.receive(until: "\r\n\r\n")
        guard answer.hasPrefix("HTTP/1.1 200 ") else { throw TestSupportError(answer) }
    }

    /// The headers that say where to.
    static func headers(_ stream: String, start: Int? = nil) -> [String] {
        let name = "x-amzn-stream-name: \(stream)"
        guard let start else { return [name, "x-amzn-fragment-timecode-type: ABSOLUTE"] }
        return [
            name, "x-amzn-fragment-timecode-type: RELATIVE",
            "x-amzn-producer-start-timestamp: \(start).000",
        ]
    }

    /// Sends a part of the body.
    ///
    /// Blocks.
    func send(_ bytes: ByteBuffer) throws { try client.sendChunk(bytes) }

    /// The same with plain bytes.
    func send(_ bytes: [UInt8]) throws { try send(ByteBuffer(bytes: bytes)) }

    /// Says that the body has ended.
    ///
    /// Blocks.
    func end() throws { try client.send("0\r\n\r\n") }

    /// The next acknowledgement but IDLE; `nil` for the last chunk.
    ///
    /// Blocks.
    func next() throws -> Ack? {
        while let chunk = try client.receiveChunk() {
            let ack = try Self.ack(chunk)
            if ack.EventType != "IDLE" { return ack }
        }
        return nil
    }

    /// Every acknowledgement up to the end of the answer.
    ///
    /// Blocks.
    func rest() throws -> [Ack] {
        var acks: [Ack] = []
        while let ack = try next() { acks.append(ack) }
        return acks
    }

    /// Reads one acknowledgement.
    static func ack(_ chunk: ByteBuffer) throws -> Ack {
        do {
            return try JSONDecoder().decode(Ack.self, from: Data(chunk.readableBytesView))
        } catch {
            throw TestSupportError("\(String(buffer: chunk)): \(error)")
        }
    }
}

extension RawResponse {
    /// What PutMedia answered.
    var acks: [PutMedia.Ack] { get throws { try chunks.map(PutMedia.ack) } }
}

extension ServerProcess {
    /// Makes a stream as KVS clients do.
    func createStream(_ name: String) async throws {
        let answer = try await request(
            "POST",
            "/createStream",
            text: #"{"StreamName":"\#(name)","DataRetentionInHours":24}"#
        )
        guard answer.status == 200 else { throw TestSupportError("\(answer.head)\(answer.text)") }
    }

    /// Sends a body over a PutMedia connection of its own.
    func putMedia(
        _ body: ByteBuffer,
        to stream: String,
        start: Int? = nil
    ) async throws -> [PutMedia.Ack] {
        let answer = try await request(
            "POST",
            "/putMedia",
            headers: PutMedia.headers(stream, start: start),
            body: body
        )
        guard answer.status == 200 else { throw TestSupportError("\(answer.head)\(answer.text)") }
        return try answer.acks.filter { $0.EventType != "IDLE" }
    }
}

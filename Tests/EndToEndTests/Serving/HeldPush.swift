import NIOCore
import TestSupport

/// A push that stays in the middle of its body until it is told to go on.
final class HeldPush: Sendable {
    private let client: RawClient

    /// Connects and sends a request's head and the first part of its body.
    ///
    /// Blocks.
    init(_ port: Int, _ stream: String, _ first: ByteBuffer) throws {
        client = try RawClient(port: port)
        try client.send(
            "PUT /v1/streams/\(stream)/media HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        try client.sendChunk(first)
    }

    /// Sends more of the body.
    ///
    /// Blocks.
    func send(_ more: ByteBuffer) throws { try client.sendChunk(more) }

    /// Sends the rest and reads the answer.
    ///
    /// Blocks.
    func finish(_ rest: ByteBuffer? = nil) throws -> RawResponse {
        if let rest { try client.sendChunk(rest) }
        try client.send("0\r\n\r\n")
        return try client.receiveResponse()
    }

    /// Reads the answer to what was sent so far.
    ///
    /// Blocks.
    func answer() throws -> RawResponse { try client.receiveResponse() }
}

extension ByteBuffer {
    /// The bytes in two parts; the first has so many thousandths of them.
    func split(atThousandth share: Int = 500) -> (first: ByteBuffer, rest: ByteBuffer) {
        var rest = self
        let first = rest.readSlice(length: readableBytes * share / 1000) ?? ByteBuffer()
        return (first, rest)
    }

    /// Parts of so many bytes at most.
    func chunks(of length: Int) -> [ByteBuffer] {
        var rest = self
        var chunks: [ByteBuffer] = []
        while rest.readableBytes > 0,
            let chunk = rest.readSlice(length: min(length, rest.readableBytes))
        {
            chunks.append(chunk)
        }
        return chunks
    }
}

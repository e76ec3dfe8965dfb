import Glibc
import NIOCore
import TestSupport

/// A TCP connection that sends and sees bytes as they are.
///
/// Blocks: used on threads of its own.
final class RawClient: Sendable {
    private let socket: Int32

    /// Connects to a port of this machine.
    ///
    /// - Parameters:
    ///   - port: The port.
    ///   - receiveBytes: Room in the kernel for what is not read; 0 leaves it alone.
    ///   - timeout: Seconds after which waiting for bytes fails.
    /// - Throws: ``Failure`` when it cannot connect.
    init(port: Int, receiveBytes: Int32 = 0, timeout: Int = 20) throws {
        socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var on: Int32 = 1
        unsafe setsockopt(socket, Int32(IPPROTO_TCP), TCP_NODELAY, &on, 4)
        if receiveBytes > 0 {
            var bytes = receiveBytes
            unsafe setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &bytes, 4)
        }
        var time = timeval(tv_sec: timeout, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        unsafe setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &time, size)
        unsafe setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &time, size)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(port).bigEndian)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let code = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard code == 0 else { throw Failure("connect: errno \(errno)") }
    }

    deinit { close(socket) }

    /// Sends everything.
    func send(_ bytes: ByteBuffer) throws {
        var rest = bytes
        while rest.readableBytes > 0 {
            let count = unsafe rest.readWithUnsafeReadableBytes {
                unsafe max(0, Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)))
            }
            if count == 0 { throw Failure("send: errno \(errno)") }
        }
    }

    /// Sends a text.
    func send(_ text: String) throws { try send(ByteBuffer(string: text)) }

    /// Sends bytes as one HTTP chunk.
    func sendChunk(_ bytes: ByteBuffer) throws {
        var chunk = ByteBuffer(string: String(bytes.readableBytes, radix: 16) + "\r\n")
        chunk.writeImmutableBuffer(bytes)
        chunk.writeString("\r\n")
        try send(chunk)
    }

    /// What one read gives; empty at the end.
    func receive(atMost count: Int = 1 << 16) throws -> ByteBuffer {
        var buffer = ByteBuffer()
        var failed: Int32 = 0
        _ = unsafe buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { space in
            let got = unsafe recv(socket, space.baseAddress, count, 0)
            if got < 0 { failed = errno }
            return max(0, got)
        }
        if failed != 0 { throw Failure("recv: errno \(failed)", code: failed) }
        return buffer
    }

    /// Reads until a text stands at the end of what was read.
    func receive(until end: String) throws -> String {
        var text = ""
        while !text.hasSuffix(end) {
            let byte = try receive(atMost: 1)
            if byte.readableBytes == 0 { throw Failure("the connection ended after '\(text)'") }
            text += String(buffer: byte)
        }
        return text
    }

    /// Reads exactly so many bytes.
    func receive(exactly count: Int) throws -> ByteBuffer {
        var buffer = ByteBuffer()
        while buffer.readableBytes < count {
            let piece = try receive(atMost: count - buffer.readableBytes)
            if piece.readableBytes == 0 { throw Failure("the connection ended in mid-body") }
            buffer.writeImmutableBuffer(piece)
        }
        return buffer
    }

    /// Reads until the peer closes.
    func receiveAll() throws -> ByteBuffer {
        var buffer = ByteBuffer()
        while true {
            let piece = try receive()
            if piece.readableBytes == 0 { return buffer }
            buffer.writeImmutableBuffer(piece)
        }
    }

    /// Reads one response: head, then the body by its length or its chunks.
    func receiveResponse() throws -> RawResponse {
        let head = try receive(until: "\r\n\r\n")
        var response = RawResponse(head: head, body: ByteBuffer(), chunks: [])
        if let length = response.header("content-length").flatMap({ Int($0) }) {
            response.body = try receive(exactly: length)
        } else if response.header("transfer-encoding") == "chunked" {
            while let chunk = try receiveChunk() {
                response.chunks.append(chunk)
                response.body.writeImmutableBuffer(chunk)
            }
        }
        return response
    }

    /// Reads one HTTP chunk; `nil` for the last.
    func receiveChunk() throws -> ByteBuffer? {
        // CR LF is one character.
        let line = try receive(until: "\r\n")
        guard let length = Int(line.dropLast(), radix: 16) else { throw Failure("chunk '\(line)'") }
        let bytes = try receive(exactly: length)
        guard try receive(until: "\r\n") == "\r\n" else { throw Failure("chunk without end") }
        return length == 0 ? nil : bytes
    }

    /// Ends the connection in both directions; the descriptor goes with the last reference.
    func leave() { shutdown(socket, Int32(SHUT_RDWR)) }

    /// Says that nothing more will be sent.
    func finishSending() { shutdown(socket, Int32(SHUT_WR)) }

    struct Failure: Error, CustomStringConvertible {
        let description: String
        let code: Int32

        init(_ description: String, code: Int32 = 0) {
            self.description = description
            self.code = code
        }
    }
}

/// A response as it came.
struct RawResponse: Sendable {
    var head: String
    var body: ByteBuffer
    var chunks: [ByteBuffer]

    /// The status code.
    var status: Int {
        head.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
    }

    /// The body as text.
    var text: String { String(buffer: body) }

    /// The value of a header; its name in lower case.
    func header(_ name: String) -> String? {
        for line in head.split(separator: "\r\n") where line.lowercased().hasPrefix(name + ":") {
            return line.dropFirst(name.count + 1).drop { $0 == " " }.description
        }
        return nil
    }
}

extension ServerProcess {
    /// Sends one request on a connection of its own and reads the response.
    func request(
        _ method: String,
        _ target: String,
        headers: [String] = [],
        body: ByteBuffer? = nil,
        host: String? = "localhost"
    ) async throws -> RawResponse {
        let port = port
        return try await OwnThread.run {
            let client = try RawClient(port: port)
            var text = "\(method) \(target) HTTP/1.1\r\n"
            if let host { text += "Host: \(host)\r\n" }
            for header in headers { text += header + "\r\n" }
            if let body { text += "Content-Length: \(body.readableBytes)\r\n" }
            var bytes = ByteBuffer(string: text + "Connection: close\r\n\r\n")
            if let body { bytes.writeImmutableBuffer(body) }
            try client.send(bytes)
            let response = try client.receiveResponse()
            return response
        }
    }

    /// The same with a body of text.
    func request(_ method: String, _ target: String, text: String) async throws -> RawResponse {
        try await request(method, target, body: ByteBuffer(string: text))
    }
}

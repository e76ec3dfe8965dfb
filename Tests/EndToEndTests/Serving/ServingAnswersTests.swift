import FoundationEssentials
import Glibc
import NIOCore
import TestSupport
import Testing

/// How answers and connections end; serialized, because each has a server at its limits.
@Suite(.serialized) struct ServingAnswersTests {
    /// A connection that has asked for something and read nothing yet.
    private static func asking(
        _ port: Int,
        _ target: String,
        version: String = "1.1",
        receiveBytes: Int32 = 0
    ) throws -> RawClient {
        let client = try RawClient(port: port, receiveBytes: receiveBytes)
        try client.send("GET \(target) HTTP/\(version)\r\nHost: localhost\r\n\r\n")
        return client
    }

    /// A server with a stream of many small fragments.
    private static func server(
        _ directory: TemporaryDirectory,
        loops: Int,
        _ options: String...
    ) async throws -> ServerProcess {
        let server = try await ServerProcess.start(directory.path, options)
        let pushed = try await server.request(
            "PUT",
            "/v1/streams/cam/media?startTimestamp=0",
            body: try await Footage.remuxed(loops: loops)
        )
        #expect(pushed.status == 200, "\(pushed.text)")
        return server
    }

    /// Stretches of different lengths around what the kernel holds for a reader who takes nothing:
    /// of some, a last part stays with the server.
    private static let stretches = Array(stride(from: 56, through: 120, by: 2))

    // MARK: Shutdown

    @Test func `readers who take nothing do not keep the server from stopping`() async throws {
        let directory = try TemporaryDirectory()
        let server = try await Self.server(directory, loops: 8, "--drain", "1s")
        let port = server.port
        let clients = try await OwnThread.run {
            try Self.stretches.map { seconds in
                let client = try RawClient(port: port, receiveBytes: 1 << 12)
                try client.send(
                    "GET /v1/streams/cam/media?from=0&to=\(seconds * 1000) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
                )
                return client
            }
        }
        try await server.wait(until: { try server.socketCount > clients.count })
        try await Task.sleep(for: .milliseconds(500))
        server.signal(SIGTERM)
        #expect(try await server.end() == 0)
        withExtendedLifetime(clients) {}
    }

    @Test func `whoever catches up at a shutdown gets whole fragments and a proper end`()
        async throws
    {
        let directory = try TemporaryDirectory()
        let server = try await ServerProcess.start(directory.path)
        let footage = try await Footage.remuxed(.bunny2sGOP, loops: 8)
        _ = try await server.request("PUT", "/v1/streams/cam/media", body: footage)
        let port = server.port
        let (client, first) = try await OwnThread.run {
            let client = try Self.asking(
                port,
                "/v1/streams/cam/media?from=0",
                receiveBytes: 1 << 16
            )
            _ = try client.receive(until: "\r\n\r\n")
            return (client, try client.receiveChunk() ?? ByteBuffer())
        }
        server.signal(SIGTERM)
        let media = try await OwnThread.run {
            var media = first
            while let chunk = try client.receiveChunk() { media.writeImmutableBuffer(chunk) }
            #expect(try client.receive().readableBytes == 0)
            return media
        }
        #expect(try await server.end() == 0)
        #expect(media.readableBytes < footage.readableBytes * 9 / 10, "it was to end early")
        #expect(try Self.clusterCount(media) > 0)
    }

    @Test func `a producer in full flow is told what is stored when the server stops`() async throws
    {
        let directory = try TemporaryDirectory()
        let server = try await ServerProcess.start(directory.path, "--drain", "1s")
        let footage = try await Footage.remuxed(loops: 40)
        let port = server.port
        let client = try await OwnThread.run {
            let client = try RawClient(port: port)
            try client.send(
                "PUT /v1/streams/cam/media HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
            )
            return client
        }
        async let sent = OwnThread.run {
            var rest = footage
            var count = 0
            // Goes on regardless, as a camera does that reads its answers late.
            while let piece = rest.readSlice(length: min(rest.readableBytes, 1 << 14)),
                piece.readableBytes > 0
            {
                do { try client.sendChunk(piece) } catch { break }
                count += piece.readableBytes
                usleep(5_000)
            }
            return count
        }
        try await server.wait(until: {
            let list = try await server.request("GET", "/v1/streams/cam/fragments")
            return list.text.contains("fragmentNumber")
        })
        server.signal(SIGTERM)
        let answer = try await OwnThread.run {
            let answer = try client.receiveResponse()
            // The end, not a reset that could have come before the answer.
            #expect(try client.receive().readableBytes == 0)
            return answer
        }
        #expect(answer.status == 503)
        #expect(answer.text.contains(#""code":"shuttingDown""#), "\(answer.text)")
        #expect(try await server.end() == 0)
        #expect(try await sent < footage.readableBytes)
    }

    // MARK: Old clients

    @Test func `a client of HTTP 1_0 gets no chunks, and the end of the connection as the end`()
        async throws
    {
        let directory = try TemporaryDirectory()
        let server = try await Self.server(directory, loops: 1)
        let port = server.port
        let target = "/v1/streams/cam/media?to=now"
        let modern = try await server.request("GET", target)
        try await OwnThread.run {
            let client = try Self.asking(port, target, version: "1.0")
            let head = try client.receive(until: "\r\n\r\n")
            #expect(head.hasPrefix("HTTP/1.0 200 OK\r\n"), "\(head)")
            #expect(!head.lowercased().contains("transfer-encoding"))
            #expect(try client.receiveAll() == modern.body)
            let short = try Self.asking(port, "/healthz", version: "1.0")
            let all = String(buffer: try short.receiveAll())
            #expect(all.hasPrefix("HTTP/1.0 200 OK\r\n"))
            #expect(all.hasSuffix("\r\n\r\n{\"status\":\"ok\"}"))
        }
    }

    // MARK: Limits

    @Test(arguments: ["/v1/streams", "/createStream", "/v1/verify"])
    func `a JSON body that does not come is not waited for`(path: String) async throws {
        let directory = try TemporaryDirectory()
        let server = try await ServerProcess.start(directory.path, "--head-timeout", "300ms")
        let port = server.port
        let answer = try await OwnThread.run {
            let client = try RawClient(port: port)
            try client.send(
                "POST \(path) HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{\"name\":"
            )
            let answer = try client.receiveResponse()
            #expect(try client.receive().readableBytes == 0, "the connection is closed")
            return answer
        }
        #expect(answer.status == (path == "/createStream" ? 400 : 408))
        #expect(answer.text.contains("did not come within 300 ms"), "\(answer.text)")
    }

    @Test func `one connection too many is told so, and the next is served`() async throws {
        let directory = try TemporaryDirectory()
        let server = try await ServerProcess.start(directory.path, "--max-connections", "3")
        let port = server.port
        let clients = try await OwnThread.run {
            try (0..<3).map { _ in
                let client = try Self.asking(port, "/healthz")
                #expect(try client.receiveResponse().status == 200)
                return client
            }
        }
        let refused = try await server.request("GET", "/healthz")
        #expect(refused.status == 503)
        #expect(refused.text.contains(#""code":"busy""#), "\(refused.text)")
        #expect(refused.header("retry-after") != nil)
        for client in clients { client.leave() }
        try await server.wait(until: {
            try await server.request("GET", "/healthz").status == 200
        })
    }

    @Test func `a server without a free descriptor takes connections again when it has one`()
        async throws
    {
        let directory = try TemporaryDirectory()
        let server = try await ServerProcess.start(directory.path)
        let port = server.port
        let entries = try FileManager.default.contentsOfDirectory(
            atPath: "/proc/\(server.process)/fd"
        )
        let used = (entries.compactMap { Int($0) }.max() ?? 0) + 1
        let pid = String(server.process)
        try await Program.succeed(["prlimit", "--pid", pid, "--nofile=\(used):"])
        let clients = try await OwnThread.run { try (0..<3).map { _ in try RawClient(port: port) } }
        #expect(clients.count == 3)
        try await Task.sleep(for: .milliseconds(300))
        try await Program.succeed(["prlimit", "--pid", pid, "--nofile=4096:"])
        #expect(try await server.request("GET", "/healthz").status == 200)
        server.signal(SIGTERM)
        #expect(try await server.end() == 0)
    }

    @Test func `a list does not depend on whether the media of its fragments can be read`()
        async throws
    {
        let directory = try TemporaryDirectory()
        let server = try await ServerProcess.start(directory.path)
        _ = try await server.request(
            "POST",
            "/createStream",
            text: #"{"StreamName":"cam","DataRetentionInHours":1}"#
        )
        var body = try await Footage.clusters()
        // Tags{Tag{SimpleTag{PLACE, gate}}}
        body.writeBytes([0x12, 0x54, 0xC3, 0x67, 0x95, 0x73, 0x73, 0x92, 0x67, 0xC8, 0x8F])
        body.writeBytes([0x45, 0xA3, 0x85] + Array("PLACE".utf8))
        body.writeBytes([0x44, 0x87, 0x84] + Array("gate".utf8))
        let put = try await server.request(
            "POST",
            "/putMedia",
            headers: ["x-amzn-stream-name: cam", "x-amzn-fragment-timecode-type: ABSOLUTE"],
            body: body
        )
        #expect(put.status == 200, "\(put.text)")
        let target = "/v1/streams/cam/fragments"
        let before = try await server.request("GET", target)
        #expect(before.text.contains(#""PLACE":"gate""#), "\(before.text)")
        server.signal(SIGTERM)
        #expect(try await server.end() == 0)
        let streams = "\(directory.path)/streams"
        let names = try FileManager.default.subpathsOfDirectory(atPath: streams)
        let file = try #require(names.first { $0.hasSuffix(".mkv") })
        var bytes = try contents(ofFile: "\(streams)/\(file)")
        // In the Cluster before the tags.
        let place = bytes.writerIndex - 2000
        bytes.setInteger(~(bytes.getInteger(at: place) ?? UInt8(0)), at: place)
        try write(bytes, toFile: "\(streams)/\(file)")
        let again = try await ServerProcess.start(directory.path)
        #expect(try await again.request("GET", target).text == before.text)
    }

    // MARK: Matroska

    /// How many whole Clusters there are in what was given out of stored fragments.
    ///
    /// Throws unless the bytes end where an element does.
    private static func clusterCount(_ media: ByteBuffer) throws -> Int {
        var rest = media
        var count = 0
        while rest.readableBytes > 0 {
            guard
                let idLength = rest.getInteger(at: rest.readerIndex, as: UInt8.self)
                    .map({ $0.leadingZeroBitCount + 1 }), idLength <= 4,
                let id = rest.readBytes(length: idLength),
                let sizeLength = rest.getInteger(at: rest.readerIndex, as: UInt8.self)
                    .map({ $0.leadingZeroBitCount + 1 }), sizeLength <= 8,
                let size = rest.readBytes(length: sizeLength)
            else { throw ServerProcess.Failure("an element head is cut") }
            // Segment is entered.
            if id == [0x18, 0x53, 0x80, 0x67] { continue }
            let mask = UInt64(1) << UInt64(7 * sizeLength) - 1
            let length = size.reduce(UInt64(0)) { $0 << 8 | UInt64($1) } & mask
            guard rest.readSlice(length: Int(length)) != nil else {
                throw ServerProcess.Failure("an element of \(length) bytes is cut")
            }
            if id == [0x1F, 0x43, 0xB6, 0x75] { count += 1 }
        }
        return count
    }
}

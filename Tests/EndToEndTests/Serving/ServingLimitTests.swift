import FoundationEssentials
import Glibc
import NIOCore
import TestSupport
import Testing

@Suite struct ServingLimitTests {
    private static let put =
        "PUT /v1/streams/cam/media HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"

    /// How many fragments an answer to a push says are stored.
    private static func stored(_ response: RawResponse) -> Int? {
        response.text.firstMatch(of: #/"fragments":(\d+),/#).flatMap { Int($0.1) }
    }

    @Test func `a push that goes silent ends with what is stored`() async throws {
        let directory = try TemporaryDirectory()
        let server = try await ServerProcess.start(directory.path, "--push-idle", "300ms")
        let footage = try await Footage.remuxed()
        let port = server.port
        let answer = try await OwnThread.run {
            let client = try RawClient(port: port)
            try client.send(Self.put)
            try client.sendChunk(
                footage.getSlice(at: 0, length: footage.readableBytes / 2) ?? footage
            )
            let answer = try client.receiveResponse()
            #expect(try client.receive().readableBytes == 0, "the connection is closed")
            return answer
        }
        #expect(answer.status == 408)
        #expect(answer.header("connection") == "close")
        #expect(answer.text.contains(#""code":"requestTimeout""#))
        #expect((Self.stored(answer) ?? 0) >= 3, "\(answer.text)")
    }

    @Test func `a producer that breaks off leaves its whole fragments and a gap`() async throws {
        let directory = try TemporaryDirectory()
        let server = try await ServerProcess.start(directory.path)
        let footage = try await Footage.remuxed()
        let port = server.port
        // One says less than it sends off, one sends a chunk without its end, one a broken chunk.
        let lengths =
            "PUT /v1/streams/cam0/media HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999\r\n\r\n"
        for (index, tail) in ["", "100\r\nabc", "xyz\r\n"].enumerated() {
            try await OwnThread.run {
                let client = try RawClient(port: port)
                let half = footage.getSlice(at: 0, length: footage.readableBytes / 2) ?? footage
                if index == 0 {
                    try client.send(lengths)
                    try client.send(half)
                } else {
                    try client.send(Self.put.replacing("cam", with: "cam\(index)"))
                    try client.sendChunk(half)
                    try client.send(tail)
                }
                client.finishSending()
                _ = try? client.receiveAll()
            }
            try await server.wait(until: {
                let timeline = try await server.request("GET", "/v1/streams/cam\(index)/timeline")
                return timeline.text.contains(#""reason":"disconnect""#)
            })
            let list = try await server.request("GET", "/v1/streams/cam\(index)/fragments")
            let whole = list.text.matches(of: #/"flags":\[\]/#).count
            #expect(whole >= 3, "\(index): \(list.text)")
        }
        let status = try await server.request("GET", "/v1/status")
        #expect(status.text.contains(#""sessions":0,"#))
    }

    @Test func `a head that does not come, or comes too large, ends the connection`() async throws {
        let directory = try TemporaryDirectory()
        let server = try await ServerProcess.start(directory.path, "--head-timeout", "300ms")
        let port = server.port
        try await OwnThread.run {
            for text in [
                "", "GET /healthz HTTP/1.1\r\nHost: loc",
                "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
            ] {
                let client = try RawClient(port: port)
                try client.send(text)
                if text.hasSuffix("\r\n\r\n") {
                    #expect(try client.receiveResponse().status == 200)
                }
                #expect(try client.receive().readableBytes == 0)
            }
            for text in [
                "nonsense\r\n\r\n",
                "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: \(String(repeating: "x", count: 100_000))\r\n\r\n",
                "GET /healthz HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
                "GET /healthz HTTP/9.9\r\nHost: localhost\r\n\r\n",
            ] {
                let client = try RawClient(port: port)
                try client.send(text)
                let answer = String(buffer: try client.receiveAll())
                #expect(
                    answer.hasPrefix("HTTP/1.1 400 Bad Request\r\n"),
                    "\(text.prefix(80)): \(answer)"
                )
            }
        }
    }

    @Test func `requests follow each other on one connection, also before they are answered`()
        async throws
    {
        let directory = try TemporaryDirectory()
        let server = try await ServerProcess.start(directory.path)
        let port = server.port
        try await OwnThread.run {
            let client = try RawClient(port: port)
            let get = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
            let post = "POST /v1/streams HTTP/1.1\r\nHost: localhost\r\nContent-Length: 14\r\n\r\n"
            try client.send(
                get + post + #"{"name":"cam"}"# + get
                    + "OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n" + get
            )
            let answers = try (0..<5).map { _ in try client.receiveResponse().status }
            #expect(answers == [200, 201, 200, 204, 200])
            // A small body that nobody reads does not cost the connection.
            try client.send(
                "POST /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc"
            )
            #expect(try client.receiveResponse().status == 405)
        }
    }

    @Test func `HEAD says what GET would, and OPTIONS what there is`() async throws {
        let directory = try TemporaryDirectory()
        let server = try await ServerProcess.start(directory.path)
        _ = try await server.request("POST", "/v1/streams", text: #"{"name":"cam"}"#)
        let port = server.port
        try await OwnThread.run {
            let client = try RawClient(port: port)
            try client.send(
                "HEAD /healthz HTTP/1.1\r\nHost: localhost\r\n\r\nGET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
            )
            let head = try client.receive(until: "\r\n\r\n")
            #expect(head.hasPrefix("HTTP/1.1 200 OK"))
            #expect(head.contains("Content-Length: 15\r\n"))
            #expect(try client.receiveResponse().text == #"{"status":"ok"}"#)
            let media = try RawClient(port: port)
            try media.send("HEAD /v1/streams/cam/media HTTP/1.1\r\nHost: localhost\r\n\r\n")
            #expect(try media.receive(until: "\r\n\r\n").contains("Content-Type: video/x-matroska"))
        }
        let options = try await server.request("OPTIONS", "/v1/streams/cam/media")
        #expect(options.status == 204)
        #expect(options.header("allow") == "GET, PUT, POST, HEAD, OPTIONS")
        #expect(options.header("access-control-allow-origin") == nil)
    }

    @Test func `readiness names what is damaged, health does not care`() async throws {
        let directory = try TemporaryDirectory()
        do {
            let server = try await ServerProcess.start(directory.path)
            _ = try await server.request("POST", "/v1/streams", text: #"{"name":"cam"}"#)
            server.signal(SIGTERM)
            #expect(try await server.end() == 0)
        }
        let streams = "\(directory.path)/streams"
        let id = try #require(
            FileManager.default.contentsOfDirectory(atPath: streams).first { $0.count == 16 }
        )
        try write(ByteBuffer(string: "{"), toFile: "\(streams)/\(id)/stream.json")
        let server = try await ServerProcess.start(directory.path)
        let ready = try await server.request("GET", "/readyz")
        #expect(ready.status == 200, "other streams go on: \(ready.text)")
        #expect(ready.text.contains(#""damagedStreams":{"\#(id)":""#), "\(ready.text)")
        #expect(try await server.request("GET", "/healthz").status == 200)
    }

    @Test func `the command line refuses what cannot be served`() async throws {
        let directory = try TemporaryDirectory()
        let server = try await ServerProcess.start(directory.path)
        let free = try TemporaryDirectory()
        let cases: [([String], Int32, String)] = [
            (["--data", free.path, "--http", "0.0.0.0:0"], 2, "--insecure"),
            (["--data", free.path, "--http", "[::]:0"], 2, "--insecure"),
            (["--data", free.path, "--http", "here"], 2, "--http"),
            (["--data", free.path, "--host-name", "http://x"], 2, "host name"),
            (["--data", free.path, "--public-url", "x"], 2, "--public-url"),
            (["--data", free.path, "--push-idle", "0s"], 2, "longer than zero"),
            (["--data", free.path, "--nonsense"], 2, "--nonsense"),
            (["--data", directory.path, "--http", "127.0.0.1:0"], 1, "another server"),
            (["--data", free.path, "--http", "127.0.0.1:\(server.port)"], 1, "\(server.port)"),
        ]
        for (options, status, words) in cases {
            let ended = try await Program.run([ServerProcess.executable, "serve"] + options)
            #expect(ended.status == status, "\(options): \(ended.errors)")
            #expect(ended.errors.contains(words), "\(options): \(ended.errors)")
            #expect(ended.text.isEmpty)
        }
        let help = try await Program.run([ServerProcess.executable, "serve", "--help"])
        #expect(help.status == 0)
        #expect(help.text.contains("--data <dir>"))
    }

    @Test func `a stream is made, described, changed and deleted`() async throws {
        let directory = try TemporaryDirectory()
        let server = try await ServerProcess.start(directory.path)
        let made = try await server.request(
            "POST",
            "/v1/streams",
            text:
                #"{"name":"cam","retentionHours":2,"maxBytes":1000,"tags":{"site":"north"},"mediaType":"video/h264","minimumFragmentMs":500,"durability":"interval","durabilityIntervalMs":20}"#
        )
        #expect(made.status == 201)
        #expect(made.header("location") == "/v1/streams/cam")
        for part in [
            #""retentionHours":2,"maxBytes":1000"#, #""tags":{"site":"north"}"#,
            #""durability":"interval","durabilityIntervalMs":20"#, #""minimumFragmentMs":500"#,
        ] { #expect(made.text.contains(part), "\(made.text)") }
        #expect(try await server.request("GET", "/v1/streams/cam").text == made.text)
        let resumed = try await server.request(
            "PATCH",
            "/v1/streams/cam",
            text: #"{"resumeRetention":true}"#
        )
        #expect(resumed.status == 200)
        #expect(try await server.request("POST", "/v1/streams/cam/resume-retention").status == 200)
        for name in ["a", "b", "z"] {
            _ = try await server.request("POST", "/v1/streams", text: #"{"name":"\#(name)"}"#)
        }
        let first = try await server.request("GET", "/v1/streams?limit=3")
        #expect(
            first.text.matches(of: #/"name":"(\w+)"/#).map { String($0.1) } == ["a", "b", "cam"]
        )
        #expect(first.text.hasSuffix(#""nextCursor":"cam"}"#))
        let second = try await server.request("GET", "/v1/streams?limit=3&cursor=cam")
        #expect(second.text.contains(#""name":"z""#))
        #expect(!second.text.contains("nextCursor"))
        #expect(try await server.request("DELETE", "/v1/streams/cam").status == 204)
        #expect(try await server.request("GET", "/v1/streams/cam").status == 404)
    }

    @Test func `without room nothing is taken and everything is served`() async throws {
        let directory = try TemporaryDirectory()
        let footage = try await Footage.remuxed()
        do {
            let server = try await ServerProcess.start(directory.path)
            _ = try await server.request("PUT", "/v1/streams/cam/media", body: footage)
            server.signal(SIGTERM)
            #expect(try await server.end() == 0)
        }
        let server = try await ServerProcess.start(directory.path, "--min-free", "1000TiB")
        let refused = try await server.request("PUT", "/v1/streams/cam/media", body: footage)
        #expect(refused.status == 507)
        #expect(refused.header("retry-after") != nil)
        #expect(refused.text.contains(#""code":"diskFull""#))
        let put = try await server.request(
            "POST",
            "/putMedia",
            headers: ["x-amzn-stream-name: cam", "x-amzn-fragment-timecode-type: ABSOLUTE"],
            body: footage
        )
        // A client that saw 400 would describe the stream for ever (KVS 2.6).
        #expect(put.status == 503)
        #expect(try await server.request("GET", "/v1/streams/cam/fragments").status == 200)
        #expect(
            try await server.request("GET", "/v1/streams/cam/media?to=now").body.readableBytes
                > 500_000
        )
        let ready = try await server.request("GET", "/readyz")
        #expect(ready.status == 503)
        #expect(ready.text.contains("bytes left"))
    }
}

import FoundationEssentials
import Glibc
import NIOCore
import TestSupport
import Testing

@Suite struct ServingTests {
    private struct Fragment: Decodable {
        var fragmentNumber: String
        var producerTimestamp: String
        var serverTimestamp: String
        var durationMs: Int
        var sizeBytes: Int
        var flags: [String]
        var tags: [String: String]
    }

    private struct Page: Decodable {
        var fragments: [Fragment]
        var nextCursor: String?
    }

    private struct PushResult: Decodable {
        struct Failure: Decodable { var code: String }
        var fragments: Int
        var sizeBytes: Int
        var error: Failure?
    }

    private func decode<Value: Decodable>(
        _ type: Value.Type,
        _ response: RawResponse
    ) throws -> Value {
        try JSONDecoder().decode(type, from: Data(response.body.readableBytesView))
    }

    @Test func `footage that was pushed is listed, described and served`() async throws {
        let directory = try TemporaryDirectory()
        let server = try await ServerProcess.start(directory.path)
        let footage = try await Footage.remuxed()
        let pushed = try await server.request(
            "PUT",
            "/v1/streams/cam/media?startTimestamp=2026-01-01T00:00:00Z",
            body: footage
        )
        #expect(pushed.status == 200, "\(pushed.text)")
        let result = try decode(PushResult.self, pushed)
        #expect(result.fragments == 8)

        var numbers: [String] = []
        var sizes = 0
        var cursor: String?
        repeat {
            let target =
                "/v1/streams/cam/fragments?limit=3" + (cursor.map { "&cursor=\($0)" } ?? "")
            let page = try decode(Page.self, try await server.request("GET", target))
            #expect(page.fragments.count <= 3)
            numbers += page.fragments.map(\.fragmentNumber)
            sizes += page.fragments.map(\.sizeBytes).reduce(0, +)
            cursor = page.nextCursor
        } while cursor != nil
        #expect(numbers.count == 8)
        #expect(numbers == numbers.sorted())
        #expect(sizes == result.sizeBytes)

        let two = try decode(
            Page.self,
            try await server.request(
                "GET",
                "/v1/streams/cam/fragments?from=2026-01-01T00:00:02.500Z&to=2026-01-01T00:00:04.500Z"
            )
        )
        #expect(two.fragments.map(\.fragmentNumber) == Array(numbers[1...2]))
        #expect(two.fragments[0].producerTimestamp == "2026-01-01T00:00:02.000Z")

        let range = try await server.request(
            "GET",
            "/v1/streams/cam/media?from=2026-01-01T00:00:02Z&to=2026-01-01T00:00:06Z"
        )
        #expect(range.header("content-type") == "video/x-matroska")
        #expect(range.header("transfer-encoding") == "chunked")
        let probe = try await Program.succeed(
            [
                "ffprobe", "-v", "error", "-count_packets", "-select_streams", "v", "-show_entries",
                "stream=nb_read_packets", "-of", "csv=p=0", "-",
            ],
            input: range.body
        )
        #expect(String(buffer: probe).hasPrefix("100"))

        let one = try await server.request("GET", "/v1/streams/cam/fragments/\(numbers[3])")
        #expect(one.header("content-type") == "video/x-matroska")
        _ = try await Program.succeed(
            ["ffmpeg", "-v", "error", "-xerror", "-i", "-", "-f", "null", "-"],
            input: one.body
        )
        let described = try await server.request(
            "GET",
            "/v1/streams/cam/fragments/\(numbers[3])",
            headers: ["Accept: application/json"]
        )
        #expect(try decode(Fragment.self, described).fragmentNumber == numbers[3])
        let samples = try await server.request(
            "GET",
            "/v1/streams/cam/fragments/\(numbers[3])/samples"
        )
        #expect(samples.text.contains(#""timeBase":[1,90000]"#))
        let timeline = try await server.request("GET", "/v1/streams/cam/timeline")
        #expect(timeline.text.contains(#""fragments":8,"#))
    }

    @Test func `a push as NDJSON tells of each fragment when it is durable`() async throws {
        let directory = try TemporaryDirectory()
        let server = try await ServerProcess.start(directory.path)
        let footage = try await Footage.remuxed(.visitor, as: "matroska")
        let response = try await server.request(
            "POST",
            "/v1/streams/cam/media",
            headers: ["Accept: application/x-ndjson"],
            body: footage
        )
        #expect(response.header("content-type") == "application/x-ndjson")
        let lines = response.text.split(separator: "\n")
        #expect(lines.count == 9)
        #expect(
            lines.dropLast().allSatisfy { $0.hasPrefix(#"{"event":"persisted","fragmentNumber":"#) }
        )
        #expect(lines.last?.hasPrefix(#"{"event":"end","fragments":8,"sizeBytes":"#) == true)
        // One line, one chunk: a client sees each at once.
        #expect(response.chunks.allSatisfy { String(buffer: $0).split(separator: "\n").count == 1 })
    }

    @Test func `whoever follows sees footage while it arrives, and the end when the server stops`()
        async throws
    {
        let directory = try TemporaryDirectory()
        let server = try await ServerProcess.start(directory.path, "--drain", "1s")
        let footage = try await Footage.remuxed()
        #expect(
            try await server.request("POST", "/v1/streams", text: #"{"name":"cam"}"#).status == 201
        )
        let port = server.port
        let (follower, producer) = try await OwnThread.run {
            let follower = try RawClient(port: port)
            try follower.send("GET /v1/streams/cam/media HTTP/1.1\r\nHost: localhost\r\n\r\n")
            let head = try follower.receive(until: "\r\n\r\n")
            #expect(head.hasPrefix("HTTP/1.1 200 OK"))
            let producer = try RawClient(port: port)
            try producer.send(
                "PUT /v1/streams/cam/media HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
            )
            // Half of it: the last fragment stays open.
            try producer.sendChunk(
                footage.getSlice(at: 0, length: footage.readableBytes / 2) ?? footage
            )
            let first = try follower.receiveChunk()
            #expect(first?.getBytes(at: 0, length: 4) == [0x1A, 0x45, 0xDF, 0xA3])
            return (follower, producer)
        }
        server.signal(SIGTERM)
        let (followed, answer) = try await OwnThread.run {
            while try follower.receiveChunk() != nil {}
            #expect(try follower.receive().readableBytes == 0)
            let answer = try producer.receiveResponse()
            return (true, answer)
        }
        #expect(followed)
        #expect(answer.status == 503)
        let result = try decode(PushResult.self, answer)
        #expect(result.error?.code == "shuttingDown")
        #expect(result.fragments >= 2)
        #expect(try await server.end() == 0)

        // What was acknowledged is there, and the gap says why the rest is not.
        let again = try await ServerProcess.start(directory.path)
        let page = try decode(
            Page.self,
            try await again.request("GET", "/v1/streams/cam/fragments")
        )
        #expect(
            page.fragments.filter { !$0.flags.contains("incomplete") }.count == result.fragments
        )
        let timeline = try await again.request("GET", "/v1/streams/cam/timeline")
        #expect(timeline.text.contains(#""reason":"restart""#), "\(timeline.text)")
    }

    @Test func `a check of a running server finds a flipped bit and what to do about it`()
        async throws
    {
        let directory = try TemporaryDirectory()
        let server = try await ServerProcess.start(directory.path)
        let footage = try await Footage.remuxed()
        _ = try await server.request("PUT", "/v1/streams/cam/media", body: footage)
        let clean = try await server.request("POST", "/v1/verify")
        #expect(clean.status == 200)
        #expect(clean.text.hasPrefix(#"{"clean":true,"streams":1,"segments":1,"fragments":8,"#))
        #expect(clean.text.hasSuffix(#""findings":[]}"#))

        let stream = try #require(
            FileManager.default.contentsOfDirectory(atPath: "\(directory.path)/streams")
                .first { $0.count == 16 }
        )
        let folder = "\(directory.path)/streams/\(stream)"
        let file = try #require(
            FileManager.default.contentsOfDirectory(atPath: folder).first { $0.hasSuffix(".mkv") }
        )
        var bytes = try contents(ofFile: "\(folder)/\(file)")
        let place = bytes.readableBytes / 2
        bytes.setInteger((bytes.getInteger(at: place) ?? UInt8(0)) ^ 1, at: place)
        try write(bytes, toFile: "\(folder)/\(file)")
        let damaged = try await server.request("POST", "/v1/verify")
        #expect(damaged.text.contains(#""clean":false"#))
        #expect(damaged.text.contains(#""damage":1,"#))
        #expect(damaged.text.contains(#""stream":"\#(stream)","file":"streams/"#))
    }
}

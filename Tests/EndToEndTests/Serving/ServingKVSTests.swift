import FoundationEssentials
import Glibc
import NIOCore
import TestSupport
import Testing

@Suite struct ServingKVSTests {
    private struct Ack: Decodable, Sendable {
        var EventType: String
        var FragmentTimecode: UInt64?
        var FragmentNumber: String?
        var ErrorCode: String?
        var ErrorId: Int?
    }

    private static func ack(_ chunk: ByteBuffer) throws -> Ack {
        let text = String(buffer: chunk)
        #expect(text.hasSuffix("}\n"))
        #expect(text.split(separator: "\n").count == 1, "one acknowledgement per chunk: \(text)")
        #expect(chunk.readableBytes < 1024)
        return try JSONDecoder().decode(Ack.self, from: Data(text.utf8))
    }

    private static func head(_ headers: String...) -> String {
        "POST /putMedia HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"
            + headers.map { $0 + "\r\n" }.joined() + "\r\n"
    }

    private static let named = "x-amzn-stream-name: cam"
    private static let relative = "x-amzn-fragment-timecode-type: RELATIVE"
    private static let start = "x-amzn-producer-start-timestamp: 1767225600.000"

    private func server(
        _ directory: TemporaryDirectory,
        retention: Int = 24
    ) async throws -> ServerProcess {
        try await server(directory, retention, [])
    }

    private func server(
        _ directory: TemporaryDirectory,
        _ retention: Int = 24,
        _ options: [String]
    ) async throws -> ServerProcess {
        let server = try await ServerProcess.start(directory.path, options)
        let made = try await server.request(
            "POST",
            "/createStream",
            text:
                #"{"StreamName":"cam","DataRetentionInHours":\#(retention),"MediaType":"video/h264"}"#
        )
        #expect(made.status == 200)
        return server
    }

    private static func chunks(_ bytes: ByteBuffer, _ length: Int) -> [ByteBuffer] {
        var rest = bytes
        var chunks: [ByteBuffer] = []
        while let chunk = rest.readSlice(length: min(length, rest.readableBytes)),
            chunk.readableBytes > 0
        {
            chunks.append(chunk)
        }
        return chunks
    }

    @Test
    func `each acknowledgement is a chunk of its own, and the last chunk ends the connection`()
        async throws
    {
        let directory = try TemporaryDirectory()
        let server = try await server(directory)
        let media = try await Footage.clusters()
        let port = server.port
        let acks = try await OwnThread.run {
            let client = try RawClient(port: port)
            try client.send(Self.head(Self.named, Self.relative, Self.start))
            // The status comes before any byte of the body.
            let head = try client.receive(until: "\r\n\r\n")
            #expect(head.hasPrefix("HTTP/1.1 200 OK\r\n"))
            #expect(head.lowercased().contains("transfer-encoding: chunked"))
            #expect(head.contains("x-amzn-RequestId: "))
            for chunk in Self.chunks(media, 65_524) { try client.sendChunk(chunk) }
            try client.send("0\r\n\r\n")
            var acks: [Ack] = []
            while let chunk = try client.receiveChunk() { acks.append(try Self.ack(chunk)) }
            #expect(try client.receive().readableBytes == 0, "the connection is closed")
            return acks
        }
        let persisted = acks.filter { $0.EventType == "PERSISTED" }
        #expect(persisted.count == 8)
        #expect(
            persisted.compactMap(\.FragmentNumber)
                == persisted.compactMap(\.FragmentNumber).sorted()
        )
        for number in persisted.compactMap(\.FragmentNumber) {
            let events = acks.filter { $0.FragmentNumber == number }.map(\.EventType)
            #expect(events == ["BUFFERING", "RECEIVED", "PERSISTED"])
        }
        #expect(acks.count == persisted.count * 3)

        let list = try await server.request(
            "POST",
            "/listFragments",
            text:
                #"{"StreamName":"cam","MaxResults":1000,"FragmentSelector":{"FragmentSelectorType":"PRODUCER_TIMESTAMP","TimestampRange":{"StartTimestamp":1767225600,"EndTimestamp":1767225700}}}"#
        )
        let numbers = persisted.compactMap(\.FragmentNumber)
        #expect(numbers.allSatisfy { list.text.contains($0) })
        #expect(list.text.contains(#""ProducerTimestamp":1767225600."#), "\(list.text)")
    }

    @Test func `100 Continue is sent at once when asked, and the final status apart from it`()
        async throws
    {
        let directory = try TemporaryDirectory()
        let server = try await server(directory, 24, ["--continue-pause", "700ms"])
        let port = server.port
        try await OwnThread.run {
            let client = try RawClient(port: port)
            try client.send(
                Self.head(Self.named, Self.relative, Self.start, "Expect: 100-continue")
            )
            // Apart in time by the pause of the server; a busy machine may read both at once.
            #expect(
                try client.receive(until: "\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n"
            )
            #expect(try client.receive(until: "\r\n\r\n").hasPrefix("HTTP/1.1 200 OK\r\n"))
            try client.send("0\r\n\r\n")
            #expect(try client.receiveChunk() == nil)
        }
    }

    @Test func `a push gets its 100 Continue before it has sent a byte, unless it is refused`()
        async throws
    {
        let directory = try TemporaryDirectory()
        let server = try await server(directory)
        let port = server.port
        try await OwnThread.run {
            let put =
                "PUT /v1/streams/cam/media?%@ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n"
            let client = try RawClient(port: port)
            try client.send(put.replacing("?%@", with: ""))
            #expect(try client.receive(until: "\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n")
            try client.send("GIF")
            #expect(try client.receiveResponse().status == 415)

            let refused = try RawClient(port: port)
            try refused.send(put.replacing("%@", with: "from=1"))
            #expect(try refused.receiveResponse().status == 400)
            #expect(try refused.receive().readableBytes == 0, "the body is not waited for")
        }
    }

    @Test func `PutMedia without its headers is refused before the body`() async throws {
        let directory = try TemporaryDirectory()
        let server = try await server(directory)
        let port = server.port
        let cases: [([String], Int, String)] = [
            ([], 400, "InvalidArgumentException"),
            ([Self.named], 400, "InvalidArgumentException"),
            ([Self.named, Self.relative], 400, "InvalidArgumentException"),
            (
                [Self.named, "x-amzn-fragment-timecode-type: SOMETIMES"], 400,
                "InvalidArgumentException"
            ),
            (
                [Self.named, Self.relative, "x-amzn-producer-start-timestamp: soon"], 400,
                "InvalidArgumentException"
            ),
            (
                [
                    Self.named, "x-amzn-stream-arn: arn:aws:kinesisvideo:us-east-1:1:stream/cam/1",
                    Self.relative, Self.start,
                ], 400, "InvalidArgumentException"
            ),
            (
                ["x-amzn-stream-name: none", Self.relative, Self.start], 404,
                "ResourceNotFoundException"
            ),
            (
                ["x-amzn-stream-name: a b", Self.relative, Self.start], 400,
                "InvalidArgumentException"
            ),
            (
                [
                    "x-amzn-stream-arn: arn:aws:kinesisvideo:us-east-1:1:stream/cam/1",
                    Self.relative, Self.start,
                ], 404, "ResourceNotFoundException"
            ),
        ]
        for (headers, status, exception) in cases {
            let response = try await OwnThread.run {
                let client = try RawClient(port: port)
                let lines = headers.map { $0 + "\r\n" }.joined()
                try client.send(
                    "POST /putMedia HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\(lines)\r\n"
                )
                return try client.receiveResponse()
            }
            #expect(response.status == status, "\(headers): \(response.head)\(response.text)")
            #expect(response.header("x-amzn-errortype") == exception)
        }
    }

    @Test func `a silent producer is told so, and then the response ends`() async throws {
        let directory = try TemporaryDirectory()
        let server = try await server(
            directory,
            24,
            ["--ack-idle", "100ms", "--push-idle", "450ms"]
        )
        let port = server.port
        let events = try await OwnThread.run {
            let client = try RawClient(port: port)
            try client.send(Self.head(Self.named, Self.relative, Self.start))
            _ = try client.receive(until: "\r\n\r\n")
            var events: [String] = []
            while let chunk = try client.receiveChunk() {
                events.append(try Self.ack(chunk).EventType)
            }
            #expect(try client.receive().readableBytes == 0)
            return events
        }
        #expect(events == ["IDLE", "IDLE", "IDLE", "IDLE"])
    }

    @Test func `an ERROR reaches a producer that goes on sending`() async throws {
        let directory = try TemporaryDirectory()
        let server = try await server(directory)
        let port = server.port
        let acks = try await OwnThread.run {
            let client = try RawClient(port: port)
            try client.send(Self.head(Self.named, Self.relative, Self.start))
            _ = try client.receive(until: "\r\n\r\n")
            // More than socket buffers hold: it has to be read and dropped.
            let garbage = ByteBuffer(repeating: 0x41, count: 1 << 16)
            for _ in 0..<200 { try client.sendChunk(garbage) }
            var acks: [Ack] = []
            while let chunk = try client.receiveChunk() { acks.append(try Self.ack(chunk)) }
            #expect(try client.receive().readableBytes == 0)
            return acks
        }
        #expect(acks.map(\.EventType) == ["ERROR"])
        #expect(acks.first?.ErrorId == 4006)
        #expect(acks.first?.ErrorCode == "INVALID_MKV_DATA")
    }

    @Test func `a producer that is cut off at shutdown gets what is owed and a clean end`()
        async throws
    {
        let directory = try TemporaryDirectory()
        let server = try await server(directory, 24, ["--drain", "3s"])
        let media = try await Footage.clusters()
        let port = server.port
        let client = try await OwnThread.run {
            let client = try RawClient(port: port)
            try client.send(Self.head(Self.named, Self.relative, Self.start))
            _ = try client.receive(until: "\r\n\r\n")
            try client.sendChunk(media.getSlice(at: 0, length: media.readableBytes / 2) ?? media)
            return client
        }
        server.signal(SIGTERM)
        let acks = try await OwnThread.run {
            var acks: [Ack] = []
            while let chunk = try client.receiveChunk() { acks.append(try Self.ack(chunk)) }
            return acks
        }
        let received = acks.filter { $0.EventType == "RECEIVED" }.count
        #expect(received >= 3)
        #expect(acks.filter { $0.EventType == "PERSISTED" }.count == received)
        #expect(!acks.contains { $0.EventType == "ERROR" })
        #expect(try await server.end() == 0)
    }

    @Test func `without retention nothing is persisted and nothing is listed`() async throws {
        let directory = try TemporaryDirectory()
        let server = try await server(directory, retention: 0)
        let media = try await Footage.clusters()
        let response = try await server.request(
            "POST",
            "/putMedia",
            headers: [Self.named, Self.relative, Self.start],
            body: media
        )
        let events = Set(try response.chunks.map { try Self.ack($0).EventType })
        #expect(events == ["BUFFERING", "RECEIVED"])
        let list = try await server.request(
            "POST",
            "/listFragments",
            text:
                #"{"StreamName":"cam","FragmentSelector":{"FragmentSelectorType":"SERVER_TIMESTAMP","TimestampRange":{"StartTimestamp":0,"EndTimestamp":9999999999}}}"#
        )
        #expect(list.text == #"{"Fragments":[]}"#)
    }

    @Test func `GetMedia gives a document per fragment and ends after silence`() async throws {
        let directory = try TemporaryDirectory()
        let server = try await server(directory, 24, ["--get-media-silence", "200ms"])
        let media = try await Footage.clusters()
        let put = try await server.request(
            "POST",
            "/putMedia",
            headers: [Self.named, Self.relative, Self.start],
            body: media
        )
        let numbers = try put.chunks.map { try Self.ack($0) }.filter { $0.EventType == "PERSISTED" }
            .compactMap(\.FragmentNumber)
        func documents(_ selector: String) async throws -> Int {
            let response = try await server.request(
                "POST",
                "/getMedia",
                text: #"{"StreamName":"cam","StartSelector":{\#(selector)}}"#
            )
            #expect(response.status == 200)
            #expect(response.header("content-type") == "video/webm")
            let ebml = Data([0x1A, 0x45, 0xDF, 0xA3])
            var data = Data(response.body.readableBytesView)[...]
            var count = 0
            while let found = data.firstRange(of: ebml) {
                count += 1
                data = data[found.upperBound...]
            }
            return count
        }
        #expect(try await documents(#""StartSelectorType":"EARLIEST""#) == numbers.count)
        #expect(
            try await documents(
                #""StartSelectorType":"FRAGMENT_NUMBER","AfterFragmentNumber":"\#(numbers[2])""#
            )
                == numbers.count - 3
        )
        #expect(
            try await documents(
                #""StartSelectorType":"CONTINUATION_TOKEN","ContinuationToken":"\#(numbers[0])""#
            )
                == numbers.count - 1
        )
        #expect(
            try await documents(
                #""StartSelectorType":"PRODUCER_TIMESTAMP","StartTimestamp":1767225605"#
            )
                == numbers.count - 2
        )
        #expect(try await documents(#""StartSelectorType":"NOW""#) == 0)
    }

    @Test func `control-plane answers are small, flat and as clients read them`() async throws {
        let directory = try TemporaryDirectory()
        let server = try await ServerProcess.start(directory.path)
        let made = try await server.request(
            "POST",
            "/createStream",
            text: #"{"StreamName":"cam","DataRetentionInHours":2,"DeviceName":"d"}"#
        )
        let described = try await server.request(
            "POST",
            "/describeStream",
            text: #"{"StreamName":"cam"}"#
        )
        let pattern =
            #/\{"StreamInfo":\{"DeviceName":"d","StreamName":"cam","StreamARN":"(arn:aws:kinesisvideo:[a-z0-9-]+:\d{12}:stream/cam/\d{13})","KmsKeyId":"[^"]+","Version":"[a-zA-Z0-9]{20}","Status":"ACTIVE","CreationTime":\d{10}\.\d{3},"DataRetentionInHours":2\}\}/#
        let match = try #require(described.text.wholeMatch(of: pattern), "\(described.text)")
        #expect(made.text == #"{"StreamARN":"\#(match.1)"}"#)
        for _ in 0..<2 {
            _ = try await server.request(
                "POST",
                "/createStream",
                text: #"{"StreamName":"b\#(Int.random(in: 0..<1_000_000))"}"#
            )
        }
        let first = try await server.request("POST", "/listStreams", text: #"{"MaxResults":2}"#)
        let token = try #require(first.text.firstMatch(of: #/"NextToken":"([^"]+)"/#)).1
        let second = try await server.request(
            "POST",
            "/listStreams",
            text: #"{"MaxResults":2,"NextToken":"\#(token)"}"#
        )
        #expect(second.text.contains(#""StreamName":"cam""#))
        #expect(!second.text.contains("NextToken"))
        let deleted = try await server.request(
            "POST",
            "/deleteStream",
            text: #"{"StreamARN":"\#(match.1)"}"#
        )
        #expect(deleted.status == 200)
        #expect(deleted.text == "{}")
        let gone = try await server.request(
            "POST",
            "/describeStream",
            text: #"{"StreamARN":"\#(match.1)"}"#
        )
        #expect(gone.status == 404)
    }
}

import NIOCore
import TestSupport
import Testing

/// Every error of every route, on a server with one stream of one fragment number that is not there.
@Suite struct ServingErrorTests {
    private struct Case: Sendable {
        var method: String
        var target: String
        var headers: [String] = []
        var body: String?
        var status: Int
        /// The code of a native error or the exception of a KVS one.
        var code: String
        var says = ""
    }

    private static let absent = "91343852333181432392682062683813911049026108759"

    private static let native: [Case] = [
        Case(method: "GET", target: "/", status: 404, code: "routeNotFound"),
        Case(method: "GET", target: "/v1/nothing", status: 404, code: "routeNotFound"),
        Case(method: "GET", target: "/v1/streams/cam/nothing", status: 404, code: "routeNotFound"),
        Case(method: "GET", target: "/v1/streams/a%20b", status: 400, code: "invalidArgument", says: "1 to 256"),
        Case(method: "GET", target: "/v1/streams/none", status: 404, code: "streamNotFound"),
        Case(method: "DELETE", target: "/v1/streams/none", status: 404, code: "streamNotFound"),
        Case(method: "PATCH", target: "/v1/streams/none", body: "{}", status: 404, code: "streamNotFound"),
        Case(method: "POST", target: "/v1/streams/none/resume-retention", status: 404, code: "streamNotFound"),
        Case(method: "GET", target: "/v1/streams/none/media", status: 404, code: "streamNotFound"),
        Case(method: "GET", target: "/v1/streams/none/fragments", status: 404, code: "streamNotFound"),
        Case(method: "GET", target: "/v1/streams/none/timeline", status: 404, code: "streamNotFound"),
        Case(method: "GET", target: "/v1/streams/none/fragments/\(absent)", status: 404, code: "streamNotFound"),
        Case(method: "GET", target: "/v1/streams/cam/fragments/\(absent)", status: 404, code: "fragmentNotFound"),
        Case(method: "GET", target: "/v1/streams/cam/fragments/\(absent)/samples", status: 404, code: "fragmentNotFound"),
        Case(method: "GET", target: "/v1/streams/cam/fragments/7", status: 400, code: "invalidArgument", says: "47"),
        Case(method: "GET", target: "/v1/streams/cam/fragments/\(absent)?format=gif", status: 400, code: "invalidArgument", says: "mkv or json"),
        Case(method: "GET", target: "/v1/streams/cam/media?format=avi", status: 400, code: "invalidArgument", says: "mkv"),
        Case(method: "GET", target: "/v1/streams/cam/media?from=then", status: 400, code: "invalidArgument", says: "RFC 3339"),
        Case(method: "GET", target: "/v1/streams/cam/media?from=now&to=-5m", status: 400, code: "invalidArgument", says: "empty"),
        Case(method: "GET", target: "/v1/streams/cam/media?from=5&to=5", status: 400, code: "invalidArgument", says: "empty"),
        Case(method: "GET", target: "/v1/streams/cam/media?form=5", status: 400, code: "invalidArgument", says: "from, to, by, format"),
        Case(method: "GET", target: "/v1/streams/cam/fragments?by=wall", status: 400, code: "invalidArgument", says: "producer or server"),
        Case(method: "GET", target: "/v1/streams/cam/fragments?limit=0", status: 400, code: "invalidArgument", says: "1 to 1000"),
        Case(method: "GET", target: "/v1/streams/cam/fragments?limit=1001", status: 400, code: "invalidArgument"),
        Case(method: "GET", target: "/v1/streams/cam/fragments?cursor=x", status: 400, code: "invalidArgument", says: "nextCursor"),
        Case(method: "GET", target: "/v1/streams/cam/fragments?by=server&cursor=producer.1.\(absent)", status: 400, code: "invalidArgument"),
        Case(method: "GET", target: "/v1/streams/cam/timeline?resolution=x", status: 400, code: "invalidArgument"),
        Case(method: "GET", target: "/v1/streams?limit=x", status: 400, code: "invalidArgument"),
        Case(method: "GET", target: "/healthz?verbose=1", status: 400, code: "invalidArgument", says: "takes none"),
        Case(method: "POST", target: "/v1/streams", body: "", status: 400, code: "invalidJSON", says: "name"),
        Case(method: "POST", target: "/v1/streams", body: "{", status: 400, code: "invalidJSON"),
        Case(method: "POST", target: "/v1/streams", body: "[]", status: 400, code: "invalidJSON"),
        Case(method: "POST", target: "/v1/streams", body: #"{"name":"a b"}"#, status: 400, code: "invalidArgument"),
        Case(method: "POST", target: "/v1/streams", body: #"{"name":"cam"}"#, status: 409, code: "streamExists"),
        Case(method: "POST", target: "/v1/streams", body: #"{"name":"x","hours":1}"#, status: 400, code: "invalidArgument", says: "retentionHours"),
        Case(method: "POST", target: "/v1/streams", body: #"{"name":"x","retentionHours":-1}"#, status: 400, code: "invalidArgument"),
        Case(method: "POST", target: "/v1/streams", body: #"{"name":"x","retentionHours":87601}"#, status: 400, code: "invalidArgument"),
        Case(method: "POST", target: "/v1/streams", body: #"{"name":"x","maxBytes":0}"#, status: 400, code: "invalidArgument"),
        Case(method: "POST", target: "/v1/streams", body: #"{"name":"x","durability":"later"}"#, status: 400, code: "invalidArgument"),
        Case(method: "PATCH", target: "/v1/streams/cam", body: #"{"retentionHours":5}"#, status: 400, code: "invalidArgument", says: "resumeRetention"),
        Case(method: "PUT", target: "/v1/streams", status: 405, code: "methodNotAllowed", says: "GET, POST, HEAD, OPTIONS"),
        Case(method: "DELETE", target: "/v1/streams/cam/media", status: 405, code: "methodNotAllowed"),
        Case(method: "POST", target: "/v1/streams/cam/fragments", status: 405, code: "methodNotAllowed"),
        Case(method: "GET", target: "/v1/verify", status: 405, code: "methodNotAllowed"),
        Case(method: "POST", target: "/healthz", status: 405, code: "methodNotAllowed"),
        Case(method: "CONNECT", target: "evil.com:443", status: 405, code: "methodNotAllowed", says: "no proxy"),
        Case(method: "GET", target: "/healthz", headers: ["Host: localhost"], status: 400, code: "invalidArgument", says: "two Host"),
        Case(method: "GET", target: "/healthz", headers: ["Origin: http://evil.com"], status: 403, code: "crossOrigin"),
        Case(method: "GET", target: "/healthz", headers: ["Origin: null"], status: 403, code: "crossOrigin"),
        Case(method: "POST", target: "/v1/streams", headers: ["Sec-Fetch-Site: cross-site"], body: #"{"name":"x"}"#, status: 403, code: "crossOrigin"),
        Case(method: "OPTIONS", target: "/v1/streams", headers: ["Origin: http://evil.com"], status: 403, code: "crossOrigin"),
        // Pushes.
        Case(method: "PUT", target: "/v1/streams/a%20b/media", body: "x", status: 400, code: "invalidArgument"),
        Case(method: "PUT", target: "/v1/streams/p/media?start=5", body: "x", status: 400, code: "invalidArgument", says: "startTimestamp"),
        Case(method: "PUT", target: "/v1/streams/p/media?startTimestamp=x", body: "x", status: 400, code: "invalidArgument"),
        Case(method: "PUT", target: "/v1/streams/p/media?startTimestamp=1969-12-31T23:59:59Z", body: "x", status: 400, code: "invalidArgument"),
        Case(method: "PUT", target: "/v1/streams/p/media?format=avi", body: "x", status: 400, code: "invalidArgument"),
        Case(method: "PUT", target: "/v1/streams/p/media", body: "", status: 400, code: "emptyBody"),
        Case(method: "PUT", target: "/v1/streams/p/media", body: "GIF89a and so on", status: 415, code: "unknownContainer"),
        Case(method: "PUT", target: "/v1/streams/p/media", body: "<html><body>no</body></html>", status: 415, code: "unknownContainer"),
        Case(method: "PUT", target: "/v1/streams/p/media", body: "#EXTM3U\nfile:///etc/passwd\n", status: 415, code: "unknownContainer"),
        Case(method: "PUT", target: "/v1/streams/p/media", body: "ffconcat version 1.0\nfile /etc/passwd\n", status: 415, code: "unknownContainer"),
    ]

    private static let kvs: [Case] = [
        Case(method: "POST", target: "/noSuchThing", body: "{}", status: 404, code: "UnknownOperationException"),
        Case(method: "POST", target: "/CreateStream", body: "{}", status: 404, code: "UnknownOperationException"),
        Case(method: "POST", target: "/createStream", body: "{", status: 400, code: "SerializationException"),
        Case(method: "POST", target: "/createStream", body: #"{"StreamName":5}"#, status: 400, code: "SerializationException"),
        Case(method: "POST", target: "/createStream", body: "{}", status: 400, code: "InvalidArgumentException"),
        Case(method: "POST", target: "/createStream", body: #"{"StreamName":"a b"}"#, status: 400, code: "InvalidArgumentException"),
        Case(method: "POST", target: "/createStream", body: #"{"StreamName":"cam"}"#, status: 400, code: "ResourceInUseException"),
        Case(method: "POST", target: "/createStream", body: #"{"StreamName":"n","DataRetentionInHours":-1}"#, status: 400, code: "InvalidArgumentException"),
        Case(method: "POST", target: "/describeStream", body: "{}", status: 400, code: "InvalidArgumentException"),
        Case(method: "POST", target: "/describeStream", body: #"{"StreamName":"none"}"#, status: 404, code: "ResourceNotFoundException"),
        Case(method: "POST", target: "/describeStream", body: #"{"StreamARN":"arn:x"}"#, status: 400, code: "InvalidArgumentException"),
        Case(method: "POST", target: "/describeStream", body: #"{"StreamARN":"arn:aws:kinesisvideo:us-east-1:1:stream/cam/1"}"#, status: 404, code: "ResourceNotFoundException"),
        Case(method: "POST", target: "/describeStream", body: #"{"StreamName":"x","StreamARN":"arn:aws:kinesisvideo:us-east-1:1:stream/cam/1"}"#, status: 400, code: "InvalidArgumentException"),
        Case(method: "POST", target: "/deleteStream", body: #"{"StreamName":"cam"}"#, status: 400, code: "InvalidArgumentException"),
        Case(method: "POST", target: "/deleteStream", body: #"{"StreamARN":"arn:aws:kinesisvideo:us-east-1:1:stream/cam/1"}"#, status: 404, code: "ResourceNotFoundException"),
        Case(method: "POST", target: "/getDataEndpoint", body: #"{"StreamName":"cam"}"#, status: 400, code: "InvalidArgumentException"),
        Case(method: "POST", target: "/getDataEndpoint", body: #"{"StreamName":"none","APIName":"PUT_MEDIA"}"#, status: 404, code: "ResourceNotFoundException"),
        Case(method: "POST", target: "/listStreams", body: #"{"MaxResults":0}"#, status: 400, code: "InvalidArgumentException"),
        Case(method: "POST", target: "/listStreams", body: #"{"NextToken":"%%"}"#, status: 400, code: "InvalidArgumentException"),
        Case(method: "POST", target: "/listFragments", body: #"{"StreamName":"cam"}"#, status: 400, code: "InvalidArgumentException"),
        Case(method: "POST", target: "/listFragments", body: #"{"StreamName":"cam","FragmentSelector":{"FragmentSelectorType":"WALL","TimestampRange":{"StartTimestamp":1,"EndTimestamp":2}}}"#, status: 400, code: "InvalidArgumentException"),
        Case(method: "POST", target: "/listFragments", body: #"{"StreamName":"cam","FragmentSelector":{"FragmentSelectorType":"SERVER_TIMESTAMP","TimestampRange":{"StartTimestamp":3,"EndTimestamp":2}}}"#, status: 400, code: "InvalidArgumentException"),
        Case(method: "POST", target: "/listFragments", body: #"{"StreamName":"cam","FragmentSelector":{"FragmentSelectorType":"SERVER_TIMESTAMP","TimestampRange":{"StartTimestamp":"soon","EndTimestamp":2}}}"#, status: 400, code: "SerializationException"),
        Case(method: "POST", target: "/getMedia", body: #"{"StreamName":"cam"}"#, status: 400, code: "InvalidArgumentException"),
        Case(method: "POST", target: "/getMedia", body: #"{"StreamName":"none","StartSelector":{"StartSelectorType":"NOW"}}"#, status: 404, code: "ResourceNotFoundException"),
        Case(method: "POST", target: "/getMedia", body: #"{"StreamName":"cam","StartSelector":{"StartSelectorType":"LATER"}}"#, status: 400, code: "InvalidArgumentException"),
        Case(method: "POST", target: "/getMedia", body: #"{"StreamName":"cam","StartSelector":{"StartSelectorType":"FRAGMENT_NUMBER"}}"#, status: 400, code: "InvalidArgumentException"),
        Case(method: "POST", target: "/getMedia", body: #"{"StreamName":"cam","StartSelector":{"StartSelectorType":"FRAGMENT_NUMBER","AfterFragmentNumber":"x"}}"#, status: 400, code: "InvalidArgumentException"),
        Case(method: "POST", target: "/getMedia", body: #"{"StreamName":"cam","StartSelector":{"StartSelectorType":"SERVER_TIMESTAMP"}}"#, status: 400, code: "InvalidArgumentException"),
        Case(method: "POST", target: "/describeStream", headers: ["Sec-Fetch-Site: cross-site"], body: "{}", status: 403, code: "AccessDeniedException"),
    ]

    @Test func `every native error has its status, code and words`() async throws {
        let directory = try TemporaryDirectory()
        let server = try await ServerProcess.start(directory.path)
        _ = try await server.request("POST", "/v1/streams", text: #"{"name":"cam"}"#)
        for item in Self.native {
            let response = try await server.request(
                item.method, item.target, headers: item.headers,
                body: item.body.map { ByteBuffer(string: $0) })
            let about = "\(item.method) \(item.target) \(item.body ?? ""): \(response.head)\(response.text)"
            #expect(response.status == item.status, "\(about)")
            #expect(response.text.hasPrefix(#"{"error":{"code":"\#(item.code)","message":""#), "\(about)")
            #expect(response.text.contains(item.says), "\(about)")
            let id = response.header("x-amzn-requestid") ?? "none"
            #expect(response.text.contains(#""requestId":"\#(id)"}"#), "\(about)")
            #expect(response.header("content-type") == "application/json")
            #expect((response.header("allow") != nil) == (item.status == 405), "\(about)")
        }
    }

    @Test func `every KVS error has its status, exception and words`() async throws {
        let directory = try TemporaryDirectory()
        let server = try await ServerProcess.start(directory.path)
        _ = try await server.request("POST", "/v1/streams", text: #"{"name":"cam"}"#)
        for item in Self.kvs {
            let response = try await server.request(
                item.method, item.target, headers: item.headers,
                body: item.body.map { ByteBuffer(string: $0) })
            let about = "\(item.target) \(item.body ?? ""): \(response.head)\(response.text)"
            #expect(response.status == item.status, "\(about)")
            #expect(response.header("x-amzn-errortype") == item.code, "\(about)")
            #expect(response.text.hasPrefix(#"{"__type":"\#(item.code)","Message":""#), "\(about)")
            // Clients compare the spelling.
            #expect(response.head.contains("x-amzn-RequestId: "), "\(about)")
        }
    }

    @Test func `a server that makes no streams refuses pushes to those that are missing`() async throws {
        let directory = try TemporaryDirectory()
        let server = try await ServerProcess.start(directory.path, "--no-auto-create")
        let response = try await server.request("PUT", "/v1/streams/cam/media", text: "x")
        #expect(response.status == 404)
        #expect(response.text.contains("streamNotFound"))
    }

    @Test(arguments: [
        ("evil.com", 421), ("evil.com:8080", 421), ("127.0.0.1.evil.com", 421), ("0.0.0.0", 421),
        ("localhost", 200), ("localhost:1", 200), ("127.0.0.1:9", 200), ("[::1]:80", 200),
        ("cams.example.org:443", 200), ("kv.example.org", 200),
    ])
    func `only names of this server are answered`(_ host: String, _ status: Int) async throws {
        let server = try await Self.named.server
        #expect(try await server.request("GET", "/healthz", host: host).status == status)
    }

    /// One server for the table above.
    private actor Named {
        private var task: Task<ServerProcess, any Error>?
        private let directory: TemporaryDirectory?

        init() { directory = try? TemporaryDirectory() }

        var server: ServerProcess {
            get async throws {
                let path = directory?.path ?? "/nonexistent"
                let task =
                    task
                    ?? Task {
                        try await ServerProcess.start(
                            path, "--host-name", "cams.example.org", "--public-url",
                            "https://kv.example.org/prefix/")
                    }
                self.task = task
                return try await task.value
            }
        }
    }

    private static let named = Named()

    @Test func `no host at all is a bad request`() async throws {
        let server = try await Self.named.server
        #expect(try await server.request("GET", "/healthz", host: nil).status == 400)
    }

    @Test func `data endpoints are where clients can come`() async throws {
        let named = try await Self.named.server
        _ = try await named.request("POST", "/createStream", text: #"{"StreamName":"cam"}"#)
        let ask = ByteBuffer(string: #"{"StreamName":"cam","APIName":"PUT_MEDIA"}"#)
        let configured = try await named.request("POST", "/getDataEndpoint", body: ask)
        #expect(configured.text == #"{"DataEndpoint":"https://kv.example.org/prefix"}"#)

        let directory = try TemporaryDirectory()
        let server = try await ServerProcess.start(directory.path)
        _ = try await server.request("POST", "/createStream", text: #"{"StreamName":"cam"}"#)
        for (host, url) in [
            ("localhost", "http://localhost:\(server.port)"), ("127.0.0.1:99", "http://127.0.0.1:99"),
            ("[::1]", "http://[::1]:\(server.port)"),
        ] {
            let answer = try await server.request("POST", "/getDataEndpoint", body: ask, host: host)
            #expect(answer.text == #"{"DataEndpoint":"\#(url)"}"#)
        }
    }
}

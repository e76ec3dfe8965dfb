import NIOCore
import TestSupport
import Testing

/// Every error of every route, on a server with one stream of one fragment number that is not there.
@Suite struct ServingErrorTests {
    /// One line of a table: `METHOD target | header | body | status code | words`; `·` is an empty
    /// body, `FRAGMENT` a number that no fragment has.
    private struct Case: Sendable {
        let method: String
        let target: String
        let headers: [String]
        let body: ByteBuffer?
        let status: Int
        /// The code of a native error, or the exception of a KVS one.
        let code: String
        let says: String

        init(_ line: Substring) throws {
            let line = line.replacing("FRAGMENT", with: ServingErrorTests.absent)
            let parts = line.split(separator: "|", omittingEmptySubsequences: false).map {
                $0.trimmingPrefix(while: \.isWhitespace).description
            }.map { String($0.reversed().trimmingPrefix(while: \.isWhitespace).reversed()) }
            try #require(parts.count == 5, "\(line)")
            let request = parts[0].split(separator: " ")
            let answer = parts[3].split(separator: " ")
            method = String(request[0])
            target = String(request[1])
            headers = parts[1].isEmpty ? [] : [parts[1]]
            body =
                switch parts[2] {
                case "": nil
                case "·": ByteBuffer()
                default: ByteBuffer(string: parts[2].replacing("\\n", with: "\n"))
                }
            status = Int(answer[0]) ?? 0
            code = String(answer[1])
            says = parts[4]
        }
    }

    private static func cases(_ table: String) throws -> [Case] {
        try table.split(separator: "\n").map { try Case($0) }
    }

    fileprivate static let absent = "91343852333181432392682062683813911049026108759"

    private static let native = #"""
        GET / |  |  | 404 routeNotFound |
        GET /v1/nothing |  |  | 404 routeNotFound |
        GET /v1/streams/cam/nothing |  |  | 404 routeNotFound |
        GET /v1/streams/a%20b |  |  | 400 invalidArgument | 1 to 256
        GET /v1/streams/none |  |  | 404 streamNotFound |
        DELETE /v1/streams/none |  |  | 404 streamNotFound |
        PATCH /v1/streams/none |  | {} | 404 streamNotFound |
        POST /v1/streams/none/resume-retention |  |  | 404 streamNotFound |
        GET /v1/streams/none/media |  |  | 404 streamNotFound |
        GET /v1/streams/none/fragments |  |  | 404 streamNotFound |
        GET /v1/streams/none/timeline |  |  | 404 streamNotFound |
        GET /v1/streams/none/fragments/FRAGMENT |  |  | 404 streamNotFound |
        GET /v1/streams/cam/fragments/FRAGMENT |  |  | 404 fragmentNotFound |
        GET /v1/streams/cam/fragments/FRAGMENT/samples |  |  | 404 fragmentNotFound |
        GET /v1/streams/cam/fragments/7 |  |  | 400 invalidArgument | 47
        GET /v1/streams/cam/fragments/FRAGMENT?format=gif |  |  | 400 invalidArgument | mkv or json
        GET /v1/streams/cam/media?format=avi |  |  | 400 invalidArgument | mkv
        GET /v1/streams/cam/media?from=then |  |  | 400 invalidArgument | RFC 3339
        GET /v1/streams/cam/media?from=now&to=-5m |  |  | 400 invalidArgument | empty
        GET /v1/streams/cam/media?from=5&to=5 |  |  | 400 invalidArgument | empty
        GET /v1/streams/cam/media?form=5 |  |  | 400 invalidArgument | from, to, by, format
        GET /v1/streams/cam/fragments?by=wall |  |  | 400 invalidArgument | producer or server
        GET /v1/streams/cam/fragments?limit=0 |  |  | 400 invalidArgument | 1 to 1000
        GET /v1/streams/cam/fragments?limit=1001 |  |  | 400 invalidArgument |
        GET /v1/streams/cam/fragments?cursor=x |  |  | 400 invalidArgument | nextCursor
        GET /v1/streams/cam/fragments?by=server&cursor=producer.1.FRAGMENT |  |  | 400 invalidArgument |
        GET /v1/streams/cam/timeline?resolution=x |  |  | 400 invalidArgument |
        GET /v1/streams?limit=x |  |  | 400 invalidArgument |
        GET /healthz?verbose=1 |  |  | 400 invalidArgument | takes none
        POST /v1/streams |  | · | 400 invalidJSON | name
        POST /v1/streams |  | { | 400 invalidJSON |
        POST /v1/streams |  | [] | 400 invalidJSON |
        POST /v1/streams |  | {"name":"a b"} | 400 invalidArgument |
        POST /v1/streams |  | {"name":"cam"} | 409 streamExists |
        POST /v1/streams |  | {"name":"x","hours":1} | 400 invalidArgument | retentionHours
        POST /v1/streams |  | {"name":"x","retentionHours":-1} | 400 invalidArgument |
        POST /v1/streams |  | {"name":"x","retentionHours":87601} | 400 invalidArgument |
        POST /v1/streams |  | {"name":"x","maxBytes":0} | 400 invalidArgument |
        POST /v1/streams |  | {"name":"x","durability":"later"} | 400 invalidArgument |
        PATCH /v1/streams/cam |  | {"retentionHours":5} | 400 invalidArgument | resumeRetention
        PUT /v1/streams |  |  | 405 methodNotAllowed | GET, POST, HEAD, OPTIONS
        DELETE /v1/streams/cam/media |  |  | 405 methodNotAllowed |
        POST /v1/streams/cam/fragments |  |  | 405 methodNotAllowed |
        GET /v1/verify |  |  | 405 methodNotAllowed |
        POST /healthz |  |  | 405 methodNotAllowed |
        GET http://evil.com/healthz |  |  | 421 misdirected | evil.com
        GET http://user@localhost/healthz |  |  | 421 misdirected |
        GET http:///healthz |  |  | 421 misdirected |
        GET http://localhost/v1/nothing |  |  | 404 routeNotFound |
        CONNECT evil.com:443 |  |  | 405 methodNotAllowed | no proxy
        GET /healthz | Host: localhost |  | 400 invalidArgument | two Host
        GET /healthz | Origin: http://evil.com |  | 403 crossOrigin |
        GET /healthz | Origin: null |  | 403 crossOrigin |
        POST /v1/streams | Sec-Fetch-Site: cross-site | {"name":"x"} | 403 crossOrigin |
        OPTIONS /v1/streams | Origin: http://evil.com |  | 403 crossOrigin |
        PUT /v1/streams/a%20b/media |  | x | 400 invalidArgument |
        PUT /v1/streams/p/media?start=5 |  | x | 400 invalidArgument | startTimestamp
        PUT /v1/streams/p/media?startTimestamp=x |  | x | 400 invalidArgument |
        PUT /v1/streams/p/media?startTimestamp=1969-12-31T23:59:59Z |  | x | 400 invalidArgument |
        PUT /v1/streams/p/media?format=avi |  | x | 400 invalidArgument |
        PUT /v1/streams/p/media |  | · | 400 emptyBody |
        PUT /v1/streams/p/media |  | GIF89a and so on | 415 unknownContainer |
        PUT /v1/streams/p/media |  | <html><body>no</body></html> | 415 unknownContainer |
        PUT /v1/streams/p/media |  | #EXTM3U\nfile:///etc/passwd\n | 415 unknownContainer |
        PUT /v1/streams/p/media |  | ffconcat version 1.0\nfile /etc/passwd\n | 415 unknownContainer |
        """#

    private static let kvs = #"""
        POST /noSuchThing |  | {} | 404 UnknownOperationException |
        POST /CreateStream |  | {} | 404 UnknownOperationException |
        POST /createStream |  | { | 400 SerializationException |
        POST /createStream |  | {"StreamName":5} | 400 SerializationException |
        POST /createStream |  | {} | 400 InvalidArgumentException |
        POST /createStream |  | {"StreamName":"a b"} | 400 InvalidArgumentException |
        POST /createStream |  | {"StreamName":"cam"} | 400 ResourceInUseException |
        POST /createStream |  | {"StreamName":"n","DataRetentionInHours":-1} | 400 InvalidArgumentException |
        POST /describeStream |  | {} | 400 InvalidArgumentException |
        POST /describeStream |  | {"StreamName":"none"} | 404 ResourceNotFoundException |
        POST /describeStream |  | {"StreamARN":"arn:x"} | 400 InvalidArgumentException |
        POST /describeStream |  | {"StreamARN":"arn:aws:kinesisvideo:us-east-1:1:stream/cam/1"} | 404 ResourceNotFoundException |
        POST /describeStream |  | {"StreamName":"x","StreamARN":"arn:aws:kinesisvideo:us-east-1:1:stream/cam/1"} | 400 InvalidArgumentException |
        POST /deleteStream |  | {"StreamName":"cam"} | 400 InvalidArgumentException |
        POST /deleteStream |  | {"StreamARN":"arn:aws:kinesisvideo:us-east-1:1:stream/cam/1"} | 404 ResourceNotFoundException |
        POST /getDataEndpoint |  | {"StreamName":"cam"} | 400 InvalidArgumentException |
        POST /getDataEndpoint |  | {"StreamName":"none","APIName":"PUT_MEDIA"} | 404 ResourceNotFoundException |
        POST /listStreams |  | {"MaxResults":0} | 400 InvalidArgumentException |
        POST /listStreams |  | {"NextToken":"%%"} | 400 InvalidArgumentException |
        POST /listFragments |  | {"StreamName":"cam"} | 400 InvalidArgumentException |
        POST /listFragments |  | {"StreamName":"cam","FragmentSelector":{"FragmentSelectorType":"WALL","TimestampRange":{"StartTimestamp":1,"EndTimestamp":2}}} | 400 InvalidArgumentException |
        POST /listFragments |  | {"StreamName":"cam","FragmentSelector":{"FragmentSelectorType":"SERVER_TIMESTAMP","TimestampRange":{"StartTimestamp":3,"EndTimestamp":2}}} | 400 InvalidArgumentException |
        POST /listFragments |  | {"StreamName":"cam","FragmentSelector":{"FragmentSelectorType":"SERVER_TIMESTAMP","TimestampRange":{"StartTimestamp":"soon","EndTimestamp":2}}} | 400 SerializationException |
        POST /getMedia |  | {"StreamName":"cam"} | 400 InvalidArgumentException |
        POST /getMedia |  | {"StreamName":"none","StartSelector":{"StartSelectorType":"NOW"}} | 404 ResourceNotFoundException |
        POST /getMedia |  | {"StreamName":"cam","StartSelector":{"StartSelectorType":"LATER"}} | 400 InvalidArgumentException |
        POST /getMedia |  | {"StreamName":"cam","StartSelector":{"StartSelectorType":"FRAGMENT_NUMBER"}} | 400 InvalidArgumentException |
        POST /getMedia |  | {"StreamName":"cam","StartSelector":{"StartSelectorType":"FRAGMENT_NUMBER","AfterFragmentNumber":"x"}} | 400 InvalidArgumentException |
        POST /getMedia |  | {"StreamName":"cam","StartSelector":{"StartSelectorType":"SERVER_TIMESTAMP"}} | 400 InvalidArgumentException |
        POST /describeStream | Sec-Fetch-Site: cross-site | {} | 403 AccessDeniedException |
        """#

    @Test func `every native error has its status, code and words`() async throws {
        let directory = try TemporaryDirectory()
        let server = try await ServerProcess.start(directory.path)
        _ = try await server.request("POST", "/v1/streams", text: #"{"name":"cam"}"#)
        for item in try Self.cases(Self.native) {
            let response = try await server.request(
                item.method,
                item.target,
                headers: item.headers,
                body: item.body
            )
            let about = "\(item): \(response.head)\(response.text)"
            #expect(response.status == item.status, "\(about)")
            #expect(
                response.text.hasPrefix(#"{"error":{"code":"\#(item.code)","message":""#),
                "\(about)"
            )
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
        for item in try Self.cases(Self.kvs) {
            let response = try await server.request(
                item.method,
                item.target,
                headers: item.headers,
                body: item.body
            )
            let about = "\(item): \(response.head)\(response.text)"
            #expect(response.status == item.status, "\(about)")
            #expect(response.header("x-amzn-errortype") == item.code, "\(about)")
            #expect(response.text.hasPrefix(#"{"__type":"\#(item.code)","Message":""#), "\(about)")
            // Clients compare the spelling.
            #expect(response.head.contains("x-amzn-RequestId: "), "\(about)")
        }
    }

    @Test func `a server that makes no streams refuses pushes to those that are missing`()
        async throws
    {
        let directory = try TemporaryDirectory()
        let server = try await ServerProcess.start(directory.path, "--no-auto-create")
        let response = try await server.request("PUT", "/v1/streams/cam/media", text: "x")
        #expect(response.status == 404)
        #expect(response.text.contains("streamNotFound"))
    }

    @Test func `only names of this server are answered`() async throws {
        let directory = try TemporaryDirectory()
        let server = try await ServerProcess.start(
            directory.path,
            "--host-name",
            "cams.example.org",
            "--public-url",
            "https://kv.example.org/prefix/"
        )
        let hosts: [(String?, Int)] = [
            (nil, 400), ("evil.com", 421), ("evil.com:8080", 421), ("127.0.0.1.evil.com", 421),
            ("0.0.0.0", 421), ("localhost", 200), ("localhost:1", 200), ("127.0.0.1:9", 200),
            ("[::1]:80", 200), ("cams.example.org:443", 200), ("kv.example.org", 200),
        ]
        for (host, status) in hosts {
            #expect(try await server.request("GET", "/healthz", host: host).status == status)
        }
        _ = try await server.request("POST", "/createStream", text: #"{"StreamName":"cam"}"#)
        let endpoint = try await server.request(
            "POST",
            "/getDataEndpoint",
            text: #"{"StreamName":"cam","APIName":"PUT_MEDIA"}"#
        )
        #expect(endpoint.text == #"{"DataEndpoint":"https://kv.example.org/prefix"}"#)
    }

    @Test func `data endpoints are where clients can come`() async throws {
        let directory = try TemporaryDirectory()
        let server = try await ServerProcess.start(directory.path)
        _ = try await server.request("POST", "/createStream", text: #"{"StreamName":"cam"}"#)
        let ask = ByteBuffer(string: #"{"StreamName":"cam","APIName":"PUT_MEDIA"}"#)
        for (host, url) in [
            ("localhost", "http://localhost:\(server.port)"),
            ("127.0.0.1:99", "http://127.0.0.1:99"),
            ("[::1]", "http://[::1]:\(server.port)"),
        ] {
            let answer = try await server.request("POST", "/getDataEndpoint", body: ask, host: host)
            #expect(answer.text == #"{"DataEndpoint":"\#(url)"}"#)
        }
    }
}

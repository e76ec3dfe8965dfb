import FragmentLog
import HTTPTypes
import MediaModel
import Testing

@testable import ServerHTTP

struct ResourceTests {
    private static let number = FragmentNumber(
        sequence: 7,
        serverMilliseconds: 1_700_000_000_000,
        random: 5
    )

    private static func name(_ text: String) throws -> StreamName {
        try #require(StreamName(text))
    }

    @Test func `every resource has its path`() throws {
        let cam = try Self.name("cam-1.x_Y")
        let base = "/v1/streams/cam-1.x_Y"
        let table: [(String, Resource)] = [
            ("/healthz", .health), ("/readyz", .ready), ("/v1/status", .status),
            ("/v1/verify", .verify), ("/v1/streams", .streams), (base, .stream(cam)),
            ("\(base)/media", .media(cam)), ("\(base)/fragments", .fragments(cam)),
            ("\(base)/timeline", .timeline(cam)),
            ("\(base)/resume-retention", .resumeRetention(cam)),
            ("\(base)/fragments/\(Self.number)", .fragment(cam, Self.number)),
            ("\(base)/fragments/\(Self.number)/samples", .samples(cam, Self.number)),
            ("/v1/streams/%63am-1%2Ex_Y", .stream(cam)),
        ]
        for (path, resource) in table { #expect(try Resource(path: path) == resource) }
    }

    @Test(arguments: [
        "/", "/v1", "/v2/streams", "/v1/streams/", "/v1/streams/a/", "/v1//streams",
        "/v1/streams/a/nothing", "/v1/streams/a/media/x", "/healthz/", "/V1/streams",
    ])
    func `other paths are nothing`(_ path: String) {
        let code = #expect(throws: APIError.self) { try Resource(path: path) }?.code
        #expect(code == .routeNotFound || path == "/v1/streams/")
    }

    @Test(arguments: [
        "/v1/streams/a%20b", "/v1/streams/%", "/v1/streams/%2", "/v1/streams/%ff",
        "/v1/streams/a%2Fb", "/v1/streams/a/fragments/12", "/v1/streams/a/fragments/x/samples",
        "/v1/streams/ü",
    ])
    func `names and numbers that cannot be are refused`(_ path: String) {
        let code = #expect(throws: APIError.self) { try Resource(path: path) }?.code
        #expect(code == .invalidArgument)
    }

    @Test func `methods are told with HEAD and OPTIONS`() throws {
        #expect(Resource.streams.allowedMethods == [.get, .post, .head, .options])
        #expect(Resource.verify.allowedMethods == [.post, .options])
    }
}

struct QueryTests {
    @Test func `parameters are decoded and a plus stays`() throws {
        let query = try Query(
            "from=2026-01-01T00:00:00+01:00&to=now&by=server",
            accepted: ["from", "to", "by"]
        )
        #expect(query["from"] == "2026-01-01T00:00:00+01:00")
        #expect(try query.time("to") == .now)
        #expect(try query.clock() == .server)
        #expect(
            try Query("from=%2D5m", accepted: ["from"]).time("from")
                == .beforeNow(milliseconds: 300_000)
        )
        #expect(try Query(String?.none, accepted: []).time("from") == nil)
    }

    @Test(arguments: ["form=1", "from=1&from=2", "from=%zz", "FROM=1"])
    func `misspelt and repeated parameters are refused`(_ text: String) {
        let error = #expect(throws: APIError.self) { try Query(text, accepted: ["from"]) }
        #expect(error?.code == .invalidArgument)
    }

    @Test(arguments: ["yesterday", "", "1e3", "-5", "2026-13-01T00:00:00Z", "9999999999999999999"])
    func `what is no time is refused with the forms that are`(_ text: String) throws {
        let query = try Query("from=\(text)", accepted: ["from"])
        let error = #expect(throws: APIError.self) { try query.time("from") }
        #expect(error?.message.contains(TimeReference.acceptedForms) == true)
    }

    @Test(arguments: ["0", "1001", "-1", "x", "", "1.5", "99999999999999999999"])
    func `counts outside their range are refused with it`(_ text: String) throws {
        let query = try Query("limit=\(text)", accepted: ["limit"])
        let error = #expect(throws: APIError.self) { try query.count("limit", in: 1...1000) }
        #expect(error?.message.contains("1 to 1000") == true)
    }
}

struct PageCursorTests {
    @Test func `a cursor comes back as it was given`() throws {
        let number = FragmentNumber(sequence: 1, serverMilliseconds: 2, random: 3)
        for clock in StreamClock.allCases {
            for start in [Int64.min, -1, 0, 1_700_000_000_000, .max] {
                let cursor = PageCursor(
                    clock: clock,
                    position: .init(start: Timestamp(milliseconds: start), number: number)
                )
                #expect(PageCursor(cursor.text) == cursor)
            }
        }
    }

    @Test(arguments: ["", "producer", "producer.1.2", "clock.1.2", "producer..", "producer.x.y.z"])
    func `anything else is none`(_ text: String) {
        #expect(PageCursor(text) == nil)
    }
}

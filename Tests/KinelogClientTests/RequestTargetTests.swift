import Testing

@testable import KinelogClient

struct RequestTargetTests {
    @Test(arguments: [
        ("cam-1_A.b~", "cam-1_A.b~"), ("a/b", "a%2Fb"), ("a b?c#d", "a%20b%3Fc%23d"),
        ("..", "%2E%2E"), (".", "%2E"), ("ü", "%C3%BC"), ("+%\n", "%2B%25%0A"), ("", ""),
    ])
    func `a segment holds any characters`(text: String, encoded: String) {
        #expect(RequestTarget("streams", text).text == "/v1/streams/\(encoded)")
    }

    @Test func `the query has what is given and nothing else`() throws {
        var target = RequestTarget("streams", "cam", "fragments")
        target.query(TimeRange(from: try TimePoint("2026-11-21T10:00:00+01:00"), to: .now))
        target.query("limit", "10")
        target.query("cursor", nil)
        #expect(
            target.text
                == "/v1/streams/cam/fragments?from=2026-11-21T10%3A00%3A00%2B01%3A00&to=now&limit=10"
        )
    }

    @Test func `only the other clock is named`() {
        var target = RequestTarget("streams")
        target.query(TimeRange(to: .ago(milliseconds: 5000), clock: .server))
        #expect(target.text == "/v1/streams?to=-5000ms&by=server")
    }
}

import Testing

@testable import ServerHTTP

struct OpenModeRulesTests {
    private static func rules(
        _ change: (inout ServerConfiguration) -> Void = { _ in }
    ) -> OpenModeRules {
        var configuration = ServerConfiguration()
        change(&configuration)
        return OpenModeRules(configuration)
    }

    private static func judge(
        _ rules: OpenModeRules,
        host: String?,
        origins: [String] = [],
        sites: [String] = []
    ) -> APIError.Code? {
        do throws(APIError) {
            try rules.check(host: host, origins: origins, fetchSites: sites)
            return nil
        } catch {
            return error.code
        }
    }

    @Test(arguments: [
        "localhost", "localhost:8080", "LOCALHOST:1", "localhost.:80", "127.0.0.1", "127.0.0.1:9",
        "127.255.0.3", "[::1]", "[::1]:8080", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]:80",
    ])
    func `loopback names are ours with any port`(_ host: String) {
        #expect(Self.judge(Self.rules(), host: host) == nil)
    }

    @Test(arguments: [
        "evil.com", "evil.com:8080", "localhost.evil.com", "127.0.0.1.evil.com", "127.1",
        "0177.0.0.1",
        "2130706433", "0x7f.1", "0.0.0.0", "192.168.1.1", "[::2]", "::1", "[::1", "localhost:",
        "localhost:99999", "localhost:80:80", "user@localhost", "local host", "", "localhost/",
        "128.0.0.1", "[127.0.0.1]", "[::ffff:8.8.8.8]",
    ])
    func `every other name is misdirected`(_ host: String) {
        #expect(Self.judge(Self.rules(), host: host) == .misdirected)
    }

    @Test func `a request without a host is refused`() {
        #expect(Self.judge(Self.rules(), host: nil) == .invalidArgument)
    }

    @Test func `configured names are ours`() throws {
        let publicURL = try #require(PublicURL("https://cams.example.org/kvs/"))
        let rules = Self.rules {
            $0.hostNames = ["Cam.example.org"]
            $0.publicURL = publicURL
        }
        #expect(Self.judge(rules, host: "cam.example.org:8080") == nil)
        #expect(Self.judge(rules, host: "cams.example.org") == nil)
        #expect(Self.judge(rules, host: "other.example.org") == .misdirected)
        #expect(
            Self.judge(rules, host: "localhost", origins: ["https://cams.example.org"]) == nil
        )
    }

    @Test func `a server on every address takes literals but no foreign names`() {
        let rules = Self.rules { $0.listen = [ListenAddress(host: "0.0.0.0", port: 80)] }
        #expect(Self.judge(rules, host: "192.168.1.5:80") == nil)
        #expect(Self.judge(rules, host: "[fe80::1]:80") == nil)
        #expect(Self.judge(rules, host: "rebound.example.com") == .misdirected)
        let bound = Self.rules { $0.listen = [ListenAddress(host: "192.168.1.5", port: 80)] }
        #expect(Self.judge(bound, host: "192.168.1.5") == nil)
        #expect(Self.judge(bound, host: "192.168.1.6") == .misdirected)
    }

    @Test(arguments: [
        ("http://localhost:8080", true), ("http://localhost:8081", false), ("null", false),
        ("http://evil.com", false), ("https://localhost:8080", true), ("http://localhost", false),
        ("http://localhost:8080.evil.com", false), ("file://", false), ("", false),
        ("http://evil.com/localhost:8080", false), ("HTTP://localhost:8080", false),
    ])
    func `only pages of our own origin are let in`(_ origin: String, _ isLetIn: Bool) {
        let code = Self.judge(Self.rules(), host: "localhost:8080", origins: [origin])
        #expect(code == (isLetIn ? nil : .crossOrigin))
    }

    @Test func `one foreign origin among several is enough to refuse`() {
        let origins = ["http://localhost:8080", "http://evil.com"]
        let code = Self.judge(Self.rules(), host: "localhost:8080", origins: origins)
        #expect(code == .crossOrigin)
    }

    @Test(arguments: [
        ("same-origin", true), ("none", true), ("cross-site", false), ("same-site", false),
        ("anything", false), ("", false),
    ])
    func `what a browser says of the page counts`(_ site: String, _ isLetIn: Bool) {
        let code = Self.judge(Self.rules(), host: "localhost", sites: [site])
        #expect(code == (isLetIn ? nil : .crossOrigin))
    }
}

import NIOCore
import Testing

@testable import ServerHTTP

struct ServerConfigurationTests {
    private static func problem(_ change: (inout ServerConfiguration) -> Void) -> String? {
        var configuration = ServerConfiguration()
        change(&configuration)
        do throws(ConfigurationError) {
            try configuration.validate()
            return nil
        } catch {
            return error.description
        }
    }

    @Test func `a silent producer has 30 s, a reader that stalls 60 s, a shutdown 10 s`() {
        let configuration = ServerConfiguration()
        #expect(configuration.pushIdle == .seconds(30))
        #expect(configuration.readerStall == .seconds(60))
        #expect(configuration.drain == .seconds(10))
    }

    @Test(arguments: ["127.0.0.1:80", "[::1]:80", "localhost:0", "127.9.9.9:1"])
    func `loopback addresses need no consent`(_ text: String) throws {
        let address = try #require(ListenAddress(text))
        #expect(Self.problem { $0.listen = [address] } == nil)
    }

    @Test(arguments: ["0.0.0.0:80", "[::]:80", "192.168.1.5:80", "camera.local:80", "8.8.8.8:1"])
    func `other addresses are refused until the operator accepts the risk`(_ text: String) throws {
        let address = try #require(ListenAddress(text))
        let problem = Self.problem { $0.listen = [address] }
        #expect(problem?.contains("--insecure") == true)
        #expect(problem?.contains(address.description) == true)
        let accepted = Self.problem {
            $0.listen = [ListenAddress(host: "127.0.0.1", port: 1), address]
            $0.isInsecure = true
        }
        #expect(accepted == nil)
    }

    @Test(arguments: [
        "", "localhost", "127.0.0.1", ":80", "::1:80", "host:port", "a b:80", "h:70000",
    ])
    func `what is no address is none`(_ text: String) {
        #expect(ListenAddress(text) == nil)
    }

    @Test func `parts that say nothing together are refused`() {
        #expect(Self.problem { $0.listen = [] } != nil)
        #expect(Self.problem { $0.hostNames = ["http://x"] } != nil)
        #expect(Self.problem { $0.hostNames = ["x:80"] } != nil)
        #expect(Self.problem { $0.pushIdle = .zero } != nil)
        #expect(Self.problem { $0.drain = .zero } == nil)
    }

    @Test(arguments: [
        ("http://h", "http://h"), ("https://h:8443/", "https://h:8443"),
        ("https://Cams.example.org/kvs//", "https://Cams.example.org/kvs"),
        ("http://[::1]:80", "http://[::1]:80"),
    ])
    func `a public URL loses the slash at its end`(_ text: String, _ url: String) {
        #expect(PublicURL(text)?.description == url)
    }

    @Test(arguments: [
        "h", "ftp://h", "http://", "http://h?x", "http://h/#x", "http://u@h", "http://h/a b",
    ])
    func `what is no public URL is none`(_ text: String) {
        #expect(PublicURL(text) == nil)
    }
}

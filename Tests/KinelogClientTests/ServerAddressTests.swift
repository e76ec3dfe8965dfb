import Testing

@testable import KinelogClient

struct ServerAddressTests {
    @Test(arguments: [
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://dock.example.org/", "http://dock.example.org"),
        ("https://[::1]:8443/kinelog//", "https://[::1]:8443/kinelog"),
        ("http://[::1]", "http://[::1]"),
    ])
    func `an address is kept without slashes at its end`(text: String, kept: String) throws {
        #expect(try ServerAddress(text).text == kept)
    }

    @Test(arguments: [
        "", "127.0.0.1:8080", "ftp://a", "http://", "http://:80", "http://a:0", "http://a:65536",
        "http://a:b", "http://a:1:2", "http://u@a", "http://a?b", "http://a#b", "http://a b",
        "http://[]:1", "http://[::1]x", "http://a/\u{7}", "http://ä",
    ])
    func `what is no address is refused with an example`(text: String) {
        let error = #expect(throws: KinelogClientError.self) { try ServerAddress(text) }
        #expect(error?.code == .badArgument)
        #expect(error?.message.hasSuffix("Write it like http://127.0.0.1:8080.") == true)
    }
}

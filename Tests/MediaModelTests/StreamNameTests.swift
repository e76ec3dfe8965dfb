import MediaModel
import Testing

struct StreamNameTests {
    @Test(arguments: [1, 2, 255, 256])
    func `a name of 1 to 256 characters is one`(length: Int) {
        let text = String(repeating: "x", count: length)
        #expect(StreamName(text)?.text == text)
        #expect(StreamName(text)?.description == text)
    }

    @Test(arguments: [0, 257, 1000])
    func `a name of another length is none`(length: Int) {
        #expect(StreamName(String(repeating: "x", count: length)) == nil)
    }

    @Test func `of all bytes, these 65 make a name`() {
        let allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-"
        #expect(Set(allowed).count == 65)
        for byte in UInt8.min...UInt8.max {
            let text = String(UnicodeScalar(byte))
            #expect((StreamName(text) != nil) == allowed.contains(text), "byte \(byte)")
            #expect((StreamName("a\(text)z") != nil) == allowed.contains(text), "byte \(byte)")
        }
        #expect(StreamName(allowed)?.text == allowed)
    }

    @Test(arguments: ["é", "a b", "a/b", "..\u{0}", "k\u{301}", "Ａ", "٣", "cam\n"])
    func `other characters make none`(text: String) {
        #expect(StreamName(text) == nil)
    }

    @Test func `upper and lower case are two names`() {
        #expect(StreamName("Dock") != StreamName("dock"))
        #expect(StreamName.acceptedForm.contains("1 to 256"))
    }
}

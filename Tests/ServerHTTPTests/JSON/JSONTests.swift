import MediaModel
import NIOCore
import Testing

@testable import ServerHTTP

struct JSONTests {
    @Test func `members stay in order and those without a value are left out`() {
        let value = JSONValue.object([
            "z": .integer(-1), "gone": nil, "a": .array([.bool(true), .null, .unsigned(.max)]),
            "n": .number("1551924009.774"), "m": .map(["b": "2", "a": "1"]),
        ])
        #expect(
            String(buffer: value.bytes)
                == #"{"z":-1,"a":[true,null,18446744073709551615],"n":1551924009.774,"m":{"a":"1","b":"2"}}"#
        )
    }

    @Test func `text is escaped where JSON asks for it, and slashes are not`() {
        let text = "q\" b\\ /\n\r\t\u{01}\u{7f}é🎥"
        #expect(
            String(buffer: JSONValue.string(text).bytes)
                == #""q\" b\\ /\n\r\t\u0001\u007fé🎥""#
        )
    }

    @Test(arguments: [
        (#"{"name":1}"#, "wrong type"), (#"{"name":"a","#, "no JSON"), ("[]", "wrong type"),
        ("{}", "lacks the member 'name'"), (#"{"name":"a","tags":{"k":1}}"#, "tags.k"),
        ("\u{0}", "no JSON"), (#"{"name":"a","retentionHours":1.5}"#, "number"),
    ])
    func `a body of another shape is refused with what is wrong`(_ text: String, _ said: String) {
        let error = #expect(throws: APIError.self) {
            try JSONBody.decode(StreamRequest.self, from: ByteBuffer(string: text))
        }
        #expect(error?.code == .invalidJSON)
        #expect(error?.message.contains(said) == true, "\(error?.message ?? "")")
    }

    @Test func `an unknown member is refused with those that are known`() {
        let error = #expect(throws: APIError.self) {
            try JSONBody.decode(
                StreamRequest.self,
                from: ByteBuffer(string: #"{"name":"a","retention":5}"#)
            )
        }
        #expect(error?.code == .invalidArgument)
        #expect(error?.message.contains("'retention'") == true)
        #expect(error?.message.contains("retentionHours") == true)
    }
}

struct HTTPDateTests {
    @Test(arguments: [
        (Int64(784_111_777_000), "Sun, 06 Nov 1994 08:49:37 GMT"),
        (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
        (951_782_400_999, "Tue, 29 Feb 2000 00:00:00 GMT"),
    ])
    func `dates are written as RFC 9110 says`(_ milliseconds: Int64, _ text: String) {
        #expect(HTTPDate.text(Timestamp(milliseconds: milliseconds)) == text)
    }

    @Test func `there is none outside four-digit years since 1970`() {
        #expect(HTTPDate.text(Timestamp(milliseconds: -1)) == nil)
        #expect(HTTPDate.text(.endOfTime) == nil)
    }
}

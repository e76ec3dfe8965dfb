import MediaModel
import Testing

@testable import KinelogClient

struct TimePointTests {
    @Test(arguments: ["now", "earliest", "-5m", "-250ms", "1767225600000", "2026-01-01T00:00:00Z"])
    func `a time is sent as it was written`(text: String) throws {
        #expect(try TimePoint(text).text == text)
    }

    @Test(arguments: ["", "yesterday", "5m", "-5", "2026-13-01T00:00:00Z", "12:00"])
    func `what is no time is refused with the accepted forms`(text: String) {
        let error = #expect(throws: KinelogClientError.self) { try TimePoint(text) }
        #expect(error?.code == .badArgument)
        #expect(error?.message.contains(TimeReference.acceptedForms) == true)
    }

    @Test(arguments: [TimePoint.milliseconds(.min), .milliseconds(.max), .ago(milliseconds: -1)])
    func `a time made of a number is one that a server takes`(time: TimePoint) {
        #expect(TimeReference(time.text) != nil)
    }
}

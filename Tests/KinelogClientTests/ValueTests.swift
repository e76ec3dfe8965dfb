import NIOCore
import Testing

@testable import KinelogClient

/// The forms of the native API, as a server writes them.
struct ValueTests {
    private func read<Value: Decodable>(_ type: Value.Type, _ text: String) throws -> Value {
        try JSONText.read(type, ByteBuffer(string: text))
    }

    @Test func `a fragment is read, with what a later server adds left out`() throws {
        let fragment = try read(
            Fragment.self,
            """
            {"fragmentNumber":"91343852333181432392682062683814167093740111537",
             "producerTimestamp":"2026-11-21T10:00:00.250Z",
             "serverTimestamp":"2026-11-21T10:00:01.000Z","durationMs":2000,"sizeBytes":812345,
             "flags":["open-gop"],"tags":{"door":"3"},"later":true}
            """
        )
        #expect(fragment.producerMilliseconds == 1_795_255_200_250)
        #expect(fragment.flags == ["open-gop"])
        #expect(fragment.tags == ["door": "3"])
    }

    @Test func `a receipt without gaps has none`() throws {
        let receipt = try read(PushReceipt.self, #"{"fragments":2,"sizeBytes":10}"#)
        #expect(receipt.gaps == [])
    }

    @Test func `a refusal names the attempt, the reason and the server's words`() throws {
        let refusal = try read(
            Refusal.self,
            #"{"error":{"code":"streamNotFound","message":"There is no stream 'x'.","requestId":"r1"}}"#
        )
        let error = KinelogClientError.error(refusal.error, status: 404, "fetch it")
        #expect(error.code == .notFound)
        #expect(error.serverCode == "streamNotFound")
        #expect(error.description == "Could not fetch it: There is no stream 'x'.")
    }

    @Test func `a failure of the server can be found in its log`() throws {
        let refusal = try read(
            Refusal.self,
            #"{"error":{"code":"ioError","message":"The disk fails.","requestId":"r1"}}"#
        )
        let error = KinelogClientError.error(refusal.error, status: 500, "fetch it")
        #expect(error.description == "Could not fetch it: The disk fails. (request r1)")
    }
}

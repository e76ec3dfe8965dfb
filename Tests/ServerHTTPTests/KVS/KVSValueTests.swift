import MediaModel
import NIOCore
import Testing

@testable import ServerHTTP

struct KVSValueTests {
    private struct Box: Decodable { let t: KVSTimestamp }

    @Test(arguments: [
        ("1551924009", Int64(1_551_924_009_000)), ("1551924009.774", 1_551_924_009_774),
        ("1.551924009774E9", 1_551_924_009_774), ("0", 0),
        (#""2019-03-07T02:00:09.774Z""#, 1_551_924_009_774),
        (#""2019-03-07T03:00:09.774+01:00""#, 1_551_924_009_774),
    ])
    func `times are read in every form that clients send`(
        _ text: String,
        _ milliseconds: Int64
    ) throws {
        let box = try JSONBody.decode(Box.self, from: ByteBuffer(string: "{\"t\":\(text)}"))
        #expect(box.t.timestamp.milliseconds == milliseconds)
    }

    @Test(arguments: ["-1", "1e300", "253402300800", #""yesterday""#, "true", "null", "{}"])
    func `what is no time is refused`(_ text: String) {
        let error = #expect(throws: APIError.self) {
            try JSONBody.decode(Box.self, from: ByteBuffer(string: "{\"t\":\(text)}"))
        }
        #expect(error?.code == .invalidJSON)
    }

    @Test(arguments: [
        "arn:aws:kinesisvideo:us-west-2:123456789012:stream/cam.1/1551924009774",
        "arn:aws-cn:kinesisvideo:cn-north-1:1:stream/cam.1/1551924009774",
    ])
    func `an ARN of any region names the stream`(_ text: String) {
        let arn = StreamARN(text)
        #expect(arn?.name.text == "cam.1")
        #expect(arn?.created == 1_551_924_009_774)
    }

    @Test(arguments: [
        "", "cam", "arn:aws:kinesisvideo:us:1:stream/cam", "arn:aws:s3:us:1:stream/cam/1",
        "arn:aws:kinesisvideo:us:1:channel/cam/1", "arn:aws:kinesisvideo:us:1:stream/c m/1",
        "arn:aws:kinesisvideo:us:x:stream/cam/1", "arn:aws:kinesisvideo:us:1:stream/cam/-1",
        "arn:aws:kinesisvideo:us:1:stream/cam/99999999999999999999",
    ])
    func `what is no ARN is none`(_ text: String) {
        #expect(StreamARN(text) == nil)
    }
}

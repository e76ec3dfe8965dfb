import Ingest
import MediaModel
import Testing

@Suite struct PutMediaRequestTests {
    private func start(_ text: String, _ userAgent: String?) -> Int64? {
        let request = try? PutMediaRequest(
            timecodeType: "RELATIVE",
            startTimestamp: text,
            acknowledgementRequired: nil,
            userAgent: userAgent,
            peer: ""
        )
        guard case .relative(let start) = request?.timecodes else { return nil }
        return start.milliseconds
    }

    @Test(
        arguments: [
            // The C SDK prints seconds, a dot and milliseconds without padding.
            ("1795224820.77", "AWS-PRODUCER-SDK-KVS/1.6.4 GCC/12", 1_795_224_820_077),
            ("1711124585.5", "AWS-SDK-KVS-CPP-CLIENT/3.6.0/1.6.4 CPPSDK", 1_711_124_585_005),
            ("1711124585.823", "AWS-PRODUCER-SDK-KVS/1.6.4", 1_711_124_585_823),
            ("1711124585.0", "AWS-PRODUCER-SDK-KVS/1.6.4", 1_711_124_585_000),
            ("1711124585.5", "aws-sdk-java/1.12", 1_711_124_585_500),
            ("1711124585.823", "aws-sdk-java/1.12", 1_711_124_585_823),
            ("1711124585.823999", nil, 1_711_124_585_823),
            ("1711124585", nil, 1_711_124_585_000), ("0", nil, 0),
            ("1.711124585823E9", nil, 1_711_124_585_823),
            ("", nil, nil), ("-5", nil, nil), ("now", nil, nil), ("1.2.3", nil, nil),
            (".5", nil, 500), ("253402300800", nil, nil), ("1e99", nil, nil), ("nan", nil, nil),
            ("99999999999999999999", nil, nil),
        ] as [(String, String?, Int64?)]
    )
    func `the start timestamp is read as its client means it`(
        text: String,
        userAgent: String?,
        milliseconds: Int64?
    ) {
        #expect(start(text, userAgent) == milliseconds)
    }

    @Test(
        arguments: [
            (
                nil, nil, "x-amzn-fragment-timecode-type is missing; send ABSOLUTE or RELATIVE."
            ),
            (
                "absolute", nil,
                "x-amzn-fragment-timecode-type is 'absolute'; send ABSOLUTE or RELATIVE."
            ),
            (
                "RELATIVE", nil,
                "x-amzn-producer-start-timestamp is missing; timecodes of the type RELATIVE count from it."
            ),
            (
                "ABSOLUTE", "soon",
                "x-amzn-producer-start-timestamp is 'soon'; send seconds since 1970, such as 1711124585.823."
            ),
        ] as [(String?, String?, String)]
    )
    func `missing and malformed headers are refused`(
        type: String?,
        start: String?,
        message: String
    ) {
        let error = #expect(throws: IngestError.self) {
            try PutMediaRequest(
                timecodeType: type,
                startTimestamp: start,
                acknowledgementRequired: nil,
                userAgent: nil,
                peer: ""
            )
        }
        #expect(error?.code == .invalidArgument)
        #expect(error?.message == message)
    }

    @Test(arguments: [(nil, true), ("1", true), ("0", false)] as [(String?, Bool)])
    func `acknowledgements are wanted unless the client says no`(
        header: String?,
        wanted: Bool
    ) throws {
        let request = try PutMediaRequest(
            timecodeType: "ABSOLUTE",
            startTimestamp: nil,
            acknowledgementRequired: header,
            userAgent: nil,
            peer: ""
        )
        #expect(request.wantsAcknowledgements == wanted)
    }
}

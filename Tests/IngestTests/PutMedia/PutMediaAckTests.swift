import Ingest
import MediaModel
import NIOCore
import Testing

@Suite struct PutMediaAckTests {
    static let number = FragmentNumber(
        sequence: 122_001,
        serverMilliseconds: 1_690_707_289_209,
        random: 190_369_258
    )

    @Test func `acknowledgements are flat objects of one line`() {
        let digits = "91343852333182036507421233921329142742245756394"
        let expected: [(PutMediaAck, String)] = [
            (
                .buffering(timecode: 1_711_124_585_823, Self.number),
                "{\"EventType\":\"BUFFERING\",\"FragmentTimecode\":1711124585823,\"FragmentNumber\":\"\(digits)\"}\n"
            ),
            (
                .received(timecode: 0, Self.number),
                "{\"EventType\":\"RECEIVED\",\"FragmentTimecode\":0,\"FragmentNumber\":\"\(digits)\"}\n"
            ),
            (
                .persisted(timecode: .max, Self.number),
                "{\"EventType\":\"PERSISTED\",\"FragmentTimecode\":18446744073709551615,\"FragmentNumber\":\"\(digits)\"}\n"
            ),
            (
                .error(.fragmentTimecodeLesserThanPrevious, timecode: 0, Self.number),
                "{\"EventType\":\"ERROR\",\"FragmentTimecode\":0,\"FragmentNumber\":\"\(digits)\",\"ErrorCode\":\"FRAGMENT_TIMECODE_LESSER_THAN_PREVIOUS\",\"ErrorId\":4004}\n"
            ),
            (
                .error(.invalidMKVData, timecode: nil, nil),
                "{\"EventType\":\"ERROR\",\"ErrorCode\":\"INVALID_MKV_DATA\",\"ErrorId\":4006}\n"
            ),
            (.idle, "{\"EventType\":\"IDLE\"}\n"),
        ]
        for (ack, json) in expected {
            #expect(String(buffer: ack.json) == json)
        }
        for failure in PutMediaFailure.allCases {
            let longest = PutMediaAck.error(failure, timecode: .max, Self.number).json
            #expect(longest.readableBytes < 1024)
        }
    }
}

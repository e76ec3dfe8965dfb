import Matroska
import NIOCore
import Testing

struct ClusterWriterTests {
    @Test func `the prefix of a stored cluster is eighteen bytes`() {
        let children = timecode(5) + simpleBlock([1, 2])
        let prefix = ClusterWriter.prefix(
            childrenLength: children.count,
            crc: CRC32.of(children.buffer)
        )
        #expect(prefix.readableBytes == ClusterWriter.prefixLength)
        #expect(
            prefix.array + children
                == element(0x1F43_B675, crcElement(children) + children, sizeWidth: 8)
        )
    }

    @Test func `a growing cluster has no size`() {
        #expect(
            ClusterWriter.unknownSizeHead.array == Bytes(hex: "1F43B675 01FFFFFFFFFFFFFF")
        )
    }

    @Test func `a timecode takes eight bytes whatever its value`() {
        #expect(ClusterWriter.timecode(0).array == Bytes(hex: "E7 88 0000000000000000"))
        #expect(ClusterWriter.timecode(.max).array == Bytes(hex: "E7 88 FFFFFFFFFFFFFFFF"))
        #expect(ClusterWriter.timecode(1).readableBytes == ClusterWriter.timecodeLength)
    }

    @Test(arguments: [
        (1, 0, true, 3, "A3 87 81 0000 80"),
        (127, -1, false, 122, "A3 FE FF FFFF 00"),
        (2, Int16.min, false, 123, "A3 407F 82 8000 00"),
        (2, Int16.max, true, 5_000_000, "A3 104C4B44 82 7FFF 80"),
        (1, 0, true, 1 << 40, "A3 05 0000000004 81 0000 80"),
    ])
    func `a block head is these bytes`(
        track: UInt8,
        offset: Int16,
        isKeyframe: Bool,
        payloadLength: Int,
        hex: String
    ) {
        let head = ClusterWriter.simpleBlockHead(
            track: track,
            offset: offset,
            isKeyframe: isKeyframe,
            payloadLength: payloadLength
        )
        // The size of 2^40 + 4 takes six bytes.
        #expect(
            head.array == Bytes(hex: payloadLength < 1 << 40 ? hex : "A3 0500000000 04 810000 80")
        )
        #expect(head.readableBytes <= ClusterWriter.simpleBlockHeadLengthMax)
    }

    @Test func `a cluster we write is parsed as we meant it`() {
        let payloads = [Bytes(repeating: 1, count: 200), [2], []]
        var children = ClusterWriter.timecode(90_000).array
        for (index, payload) in payloads.enumerated() {
            children +=
                ClusterWriter.simpleBlockHead(
                    track: 1,
                    offset: Int16(index) - 1,
                    isKeyframe: index == 0,
                    payloadLength: payload.count
                ).array
            children += payload
        }
        let prefix = ClusterWriter.prefix(
            childrenLength: children.count,
            crc: CRC32.of(children.buffer)
        )
        let found = events(of: shortHeader + prefix.array + children)
        #expect(found.samples.map(\.timecode) == [89_999, 90_000, 90_001])
        #expect(found.samples.map(\.length) == [200, 1, 0])
        #expect(found.samples.map(\.isKeyframe) == [true, false, false])
    }
}

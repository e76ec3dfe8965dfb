import Matroska
import NIOCore
import Testing

struct LacingTests {
    /// Track 1 lasts 40.4 ms per frame, track 2 does not say.
    static let header =
        ebmlHeader + openSegment + info()
        + tracks(
            trackEntry(uint(0x23E383, 40_400_000, width: 4))
                + trackEntry(number: 2, type: 2, codec: "A_AAC")
        )

    private static func samples(_ block: Bytes) -> [BlockSample] {
        events(of: header + openCluster(timecode(1000) + block)).samples
    }

    private static func places(_ block: Bytes) -> [[Int]] {
        samples(block).map { [$0.offset, $0.length] }
    }

    @Test func `xiph lacing adds up sizes of 255`() {
        let frames = Bytes(repeating: 1, count: 300) + Bytes(repeating: 2, count: 5) + [3, 3]
        let block = simpleBlock(flags: 0x82, [2, 255, 45, 5] + frames)
        // Id, two bytes of size, four of block head, four of lace head.
        #expect(Self.places(block) == [[11, 300], [311, 5], [316, 2]])
    }

    @Test func `fixed lacing divides evenly`() {
        let block = simpleBlock(flags: 0x84, [2] + Bytes(repeating: 1, count: 9))
        #expect(Self.places(block) == [[7, 3], [10, 3], [13, 3]])
    }

    @Test func `ebml lacing adds signed differences`() {
        // RFC 9559, 10.3.3: 800, 500, 1000.
        let head = [0x02] + Bytes(hex: "43 20 5E D3")
        let block = simpleBlock(flags: 0x86, head + Bytes(repeating: 0, count: 2300))
        #expect(Self.places(block) == [[12, 800], [812, 500], [1312, 1000]])
    }

    @Test func `a lace of one frame is that frame`() {
        for flags in [0x82, 0x84, 0x86] as [UInt8] {
            #expect(Self.places(simpleBlock(flags: flags, [0, 9, 9])) == [[7, 2]])
        }
        #expect(Self.places(simpleBlock(flags: 0x84, [0])) == [[7, 0]])
    }

    @Test func `later frames get their times from the track`() {
        let block = simpleBlock(offset: 7, flags: 0x84, [2] + Bytes(repeating: 1, count: 3))
        #expect(Self.samples(block).map(\.timecode) == [1007, 1047, 1088])
        #expect(Self.samples(block).map(\.isKeyframe) == [true, true, true])
    }

    @Test func `without it they share the duration of the block, or its time`() {
        let data = blockData(track: 2, flags: 0x04, [2, 1, 1, 1])
        let known = Self.samples(blockGroup(element(0xA1, data) + uint(0x9B, 10)))
        #expect(known.map(\.timecode) == [1000, 1003, 1006])
        #expect(known.map(\.duration) == [3, 3, 4])
        let unknown = Self.samples(element(0xA3, data))
        #expect(unknown.map(\.timecode) == [1000, 1000, 1000])
    }

    @Test(
        arguments: [
            (0x82, []), (0x82, [1]), (0x82, [1, 255]), (0x82, [1, 5, 0, 0]),
            (0x82, [2, 2, 2, 0, 0, 0]),
            (0x84, []), (0x84, [1, 0, 0, 0]), (0x84, [255]),
            (0x86, [1]), (0x86, [1, 0xFF]), (0x86, [1, 0x00]), (0x86, [1, 0x40]),
            (0x86, [2, 0x82, 0x81, 0, 0]), (0x86, [1, 0x85, 0, 0]),
            (0x86, [2, 0x01, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFE, 0xBF]),
        ] as [(UInt8, Bytes)]
    )
    func `a lace that does not fit its block is refused`(flags: UInt8, payload: Bytes) {
        let bytes = Self.header + openCluster(timecode(0) + simpleBlock(flags: flags, payload))
        #expect(error(of: bytes)?.code == .invalidData)
    }

    @Test func `a duration that pushes a frame out of range is refused`() {
        let header =
            ebmlHeader + openSegment + info(scale: 1)
            + tracks(trackEntry(uint(0x23E383, .max, width: 8)))
        let bytes =
            header + openCluster(timecode(0) + simpleBlock(flags: 0x84, [1, 1, 1]))
        #expect(error(of: bytes)?.code == .timecodeOutOfRange)
    }
}

import Matroska
import NIOCore
import Testing

struct MatroskaParserErrorTests {
    static let open = shortHeader + openCluster(timecode(1))
    static let badScale = tracks(trackEntry()) + openCluster(timecode(1))

    @Test(
        arguments: [
            ("garbage", Bytes("GET / HTTP/1.1\r\n".utf8)),
            ("no EBML header", openSegment + info()),
            ("cluster before the segment", ebmlHeader + cluster(timecode(1))),
            ("other document type", element(0x1A45_DFA3, text(0x4282, "mp4"))),
            ("EBML of the future", element(0x1A45_DFA3, uint(0x42F7, 2))),
            ("second EBML header", open + ebmlHeader),
            ("second EBML header before media", shortHeader + ebmlHeader),
            ("second segment", open + openSegment),
            ("second Info", shortHeader + info()),
            ("second Tracks", shortHeader + tracks(trackEntry())),
            ("Tracks after media", open + tracks(trackEntry())),
            ("Info after media", open + info()),
            ("media before Tracks", ebmlHeader + openSegment + info() + openCluster(timecode(1))),
            ("no track", ebmlHeader + openSegment + tracks([]) + openCluster(timecode(1))),
            ("unknown size of Tags", open + id(0x1254_C367) + [0xFF]),
            ("unknown size of a block", open + [0xA3, 0xFF]),
            ("unknown size of Info", ebmlHeader + openSegment + id(0x1549_A966) + [0xFF]),
            ("block before Timecode", shortHeader + openCluster(simpleBlock([1]))),
            ("second Timecode", open + timecode(2)),
            ("frame behind the tags of a cluster", open + tags([]) + simpleBlock([1])),
            (
                "frames behind the tags of a cluster",
                open + tags([]) + blockGroup(element(0xA1, blockData([])))
            ),
            ("Timecode outside a cluster", open + tags([]) + timecode(2)),
            ("frame before any cluster", shortHeader + simpleBlock([1])),
            ("cluster without Timecode", shortHeader + cluster([]) + cluster(timecode(1))),
            ("block without flags", open + element(0xA3, [0x81, 0, 0])),
            ("empty block", open + element(0xA3, [])),
            ("block group without block", open + blockGroup(uint(0x9B, 1))),
            (
                "block group with two",
                open + blockGroup(element(0xA1, blockData([])) + element(0xA1, blockData([])))
            ),
            (
                "child beyond its cluster",
                shortHeader + id(0x1F43_B675) + [0x8B] + timecode(1) + [0xA3, 0x84]
            ),
            ("cluster in a cluster", shortHeader + cluster(timecode(1) + cluster([]))),
            ("tags in a cluster", shortHeader + cluster(timecode(1) + tags([]))),
            (
                "cluster beyond its segment",
                ebmlHeader + id(0x1853_8067) + size(info().count + tracks(trackEntry()).count + 6)
                    + info() + tracks(trackEntry()) + cluster(timecode(1))
            ),
            ("scale of zero", ebmlHeader + openSegment + info(scale: 0) + badScale),
            ("scale beyond 32 bits", ebmlHeader + openSegment + info(scale: .max) + badScale),
            ("track number 0", ebmlHeader + openSegment + tracks(trackEntry(number: 0))),
            ("track number 128", ebmlHeader + openSegment + tracks(trackEntry(number: 128))),
            ("track number twice", ebmlHeader + openSegment + tracks(trackEntry() + trackEntry())),
            (
                "timecode of nine bytes",
                shortHeader + openCluster(element(0xE7, Bytes(repeating: 0, count: 9)))
            ),
            ("CRC-32 of three bytes", shortHeader + openCluster([0xBF, 0x83, 0, 0, 0])),
            (
                "child that reaches beyond Info",
                ebmlHeader + openSegment + element(0x1549_A966, [0x4D, 0x80, 0x85, 1])
            ),
        ] as [(String, Bytes)]
    )
    func `a document is refused as invalid`(what: String, bytes: Bytes) {
        #expect(error(of: bytes)?.code == .invalidData, "\(what)")
    }

    @Test(arguments: [
        (element(0xA3, [0x83, 0, 0, 0x80, 1]), MatroskaError.Code.trackMismatch),
        (element(0xA3, [0x40, 0x80, 0, 0, 0x80, 1]), .trackMismatch),
        (element(0xA3, [0x10, 0, 0, 3, 0, 0, 0x80, 1]), .trackMismatch),
        (blockGroup(element(0xA1, blockData(track: 9, [1]))), .trackMismatch),
    ])
    func `a block of an undeclared track is told apart`(block: Bytes, code: MatroskaError.Code) {
        #expect(error(of: Self.open + block)?.code == code)
    }

    @Test func `a track number may take more bytes than it needs`() {
        let found = events(of: Self.open + element(0xA3, [0x40, 0x02, 0, 0, 0x80, 1]))
        #expect(found.samples.map(\.track) == [2])
    }

    @Test func `limits are told apart by their codes`() {
        var limits = MatroskaLimits()
        limits.headerBytes = 400
        limits.trackCount = 2
        limits.blockBytes = 100
        limits.tagsBytes = 50
        limits.codecPrivateBytes = 20
        let big = Bytes(repeating: 0, count: 101)
        let start = ebmlHeader + openSegment
        let cases: [(Bytes, MatroskaError.Code)] = [
            (shortHeader + element(0xEC, Bytes(repeating: 0, count: 400)), .headerTooLarge),
            (start + id(0x1941_A469) + size(1 << 40), .headerTooLarge),
            (start + tracks((1...3).flatMap { trackEntry(number: $0) }), .tooManyTracks),
            (Self.open + simpleBlock(big), .blockTooLarge),
            (Self.open + [0xA3] + size(1 << 50), .blockTooLarge),
            (Self.open + tags(simpleTag("a", String(repeating: "b", count: 50))), .tagsTooLarge),
            (
                start + tracks(trackEntry(element(0x63A2, Bytes(repeating: 0, count: 21)))),
                .codecPrivateTooLarge
            ),
        ]
        for (bytes, code) in cases {
            #expect(error(of: bytes, limits: limits)?.code == code)
        }
    }

    @Test func `a timecode that leaves no room for offsets is refused`() {
        for value in [UInt64.max, UInt64(Int64.max)] {
            let bytes = shortHeader + openCluster(timecode(value))
            #expect(error(of: bytes)?.code == .timecodeOutOfRange)
        }
        let highest = UInt64(Int64.max - 32_767)
        let found = events(
            of: shortHeader + openCluster(timecode(highest) + simpleBlock(offset: .max, [1]))
        )
        #expect(found.samples.first?.timecode == .max)
    }

    @Test func `a checksum that does not match is an error where the cluster ends`() {
        let children = timecode(1) + simpleBlock([1, 2, 3]) + element(0xEC, [1])
        let right = crcElement(children)
        let wrong = crcElement(children + [0])
        #expect(events(of: shortHeader + cluster(right + children)).last == .clusterEnd)
        #expect(events(of: shortHeader + openCluster(right + children)).last == .clusterEnd)
        for bytes in [cluster(wrong + children), openCluster(wrong + children)] {
            #expect(error(of: shortHeader + bytes)?.code == .checksumMismatch)
        }
        let tag = element(0x7373, simpleTag("a", "b"))
        let goodTags = element(0x1254_C367, crcElement(tag) + tag)
        let badTags = element(0x1254_C367, crcElement([1]) + tag)
        #expect(events(of: Self.open + goodTags).count == 6)
        #expect(error(of: Self.open + badTags)?.code == .checksumMismatch)
        let badTracks = tracks(crcElement([1]) + trackEntry())
        #expect(error(of: ebmlHeader + openSegment + badTracks)?.code == .checksumMismatch)
    }

    @Test func `tags nested without end are refused`() {
        var bytes = simpleTag("a", "b")
        for _ in 0..<1000 { bytes = element(0x67C8, bytes) }
        #expect(error(of: Self.open + tags(bytes))?.code == .invalidData)
    }

    @Test(
        arguments: [
            ebmlHeader,
            ebmlHeader + id(0x1853_8067),
            shortHeader + [0x1F],
            shortHeader + id(0x1F43_B675),
            shortHeader + cluster(timecode(1) + simpleBlock([1])).dropLast(),
            shortHeader + openCluster(timecode(1)) + [0xA3, 0x85, 0x81],
            shortHeader + openCluster(timecode(1)) + [0xEC, 0x82, 0],
            ebmlHeader + id(0x1853_8067) + size(5000) + info(),
            shortHeader + tags(simpleTag("a", "b")).dropLast(),
        ] as [Bytes]
    )
    func `an end inside an element is told apart from damage`(bytes: Bytes) {
        #expect(error(of: bytes)?.code == .truncated)
    }

    @Test func `a message names the place`() throws {
        let found = try #require(error(of: shortHeader + openCluster(simpleBlock([1]))))
        #expect(found.byteOffset == Int64(shortHeader.count + 5))
        #expect(
            found.description
                == "A block comes before the Timecode of its Cluster; send valid Clusters. (byte \(shortHeader.count + 5))"
        )
    }
}

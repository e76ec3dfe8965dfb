import Matroska
import MediaModel
import NIOCore
import Testing

struct MatroskaParserTests {
    @Test func `a document as the producer SDK sends it gives header, clusters and tags`() throws {
        let block = simpleBlock(offset: -3, [1, 2, 3])
        let audio = simpleBlock(track: 2, offset: 10, flags: 0, [4])
        let marker = tags(simpleTag("AWS_KINESISVIDEO_END_OF_FRAGMENT", ""))
        let found = events(
            of: shortHeader
                + openCluster(timecode(1000) + [0xA7, 0x81, 0x00] + block + audio)
                + tags(simpleTag("door", "open")) + marker
                + openCluster(timecode(2000) + block)
        )
        let header = try #require(found.header)
        #expect(header.bytes.array.starts(with: ebmlHeader + id(0x1853_8067)))
        #expect(
            Array(found.dropFirst()) == [
                .clusterStart,
                .timecode(1000),
                .child(bytes: timecode(1000).buffer, samples: []),
                .child(
                    bytes: block.buffer,
                    samples: [
                        BlockSample(
                            track: 1,
                            timecode: 997,
                            isKeyframe: true,
                            offset: 6,
                            length: 3
                        )
                    ]
                ),
                .child(
                    bytes: audio.buffer,
                    samples: [
                        BlockSample(
                            track: 2,
                            timecode: 1010,
                            isKeyframe: false,
                            offset: 6,
                            length: 1
                        )
                    ]
                ),
                .clusterEnd,
                .tags(
                    raw: tags(simpleTag("door", "open")).buffer,
                    items: [TagItem(name: "door", value: "open")]
                ),
                .tags(
                    raw: marker.buffer,
                    items: [TagItem(name: TagItem.endOfFragmentName, value: "")]
                ),
                .clusterStart,
                .timecode(2000),
                .child(bytes: timecode(2000).buffer, samples: []),
                .child(
                    bytes: block.buffer,
                    samples: [
                        BlockSample(
                            track: 1,
                            timecode: 1997,
                            isKeyframe: true,
                            offset: 6,
                            length: 3
                        )
                    ]
                ),
                .clusterEnd,
            ]
        )
    }

    @Test func `known sizes give the same events as unknown ones`() {
        let children = timecode(5) + simpleBlock([9, 9])
        let body =
            info()
            + tracks(trackEntry() + trackEntry(number: 2, type: 2, codec: "A_AAC"))
            + cluster(children) + tags(simpleTag("a", "b")) + cluster(timecode(6))
        let known = events(of: ebmlHeader + element(0x1853_8067, body))
        let unknown = events(
            of: shortHeader + openCluster(children) + tags(simpleTag("a", "b"))
                + openCluster(timecode(6))
        )
        #expect(known == unknown)
    }

    @Test func `the header is kept as sent but for the segment size and our own tags`() throws {
        let void = element(0xEC, [0, 0, 0])
        let before = ebmlHeader + void
        let after =
            info() + void + element(0x114D_9B74, [0xEC, 0x80])
            + tracks(trackEntry()) + tags(simpleTag("ENCODER", "x"))
        let stale = tags(element(0x67C8, text(0x45A3, "KINELOG_SAMPLES") + element(0x4485, [1])))
        for segmentSize in [[0xFF], size(after.count + stale.count, width: 4)] as [Bytes] {
            let found = events(of: before + id(0x1853_8067) + segmentSize + stale + after)
            let header = try #require(found.header)
            let expected = before + Bytes(hex: "18538067 01FFFFFFFFFFFFFF") + after
            #expect(header.bytes.array == expected)
            #expect(header.tags == [TagItem(name: "ENCODER", value: "x")])
        }
    }

    @Test func `the cluster is announced with the last byte of its id`() throws {
        var parser = MatroskaParser()
        var found: [Event] = []
        try parser.consume((shortHeader + [0x1F, 0x43, 0xB6]).buffer, into: &found)
        #expect(found.isEmpty)
        try parser.consume(([0x75] as Bytes).buffer, into: &found)
        #expect(found.count == 2)
        #expect(found.last == .clusterStart)
        try parser.consume(([0xFF] + timecode(7)).buffer, into: &found)
        #expect(found.contains(.timecode(7)))
        try parser.consume(id(0x1F43_B675).buffer, into: &found)
        #expect(found.suffix(2) == [.clusterEnd, .clusterStart])
    }

    @Test func `a whole element is a slice of what was fed`() throws {
        let block = simpleBlock(Bytes(repeating: 7, count: 100_000))
        let bytes = (shortHeader + openCluster(timecode(0) + block)).buffer
        var parser = MatroskaParser()
        var found: [Event] = []
        try parser.consume(bytes, into: &found)
        guard case .child(let slice, _)? = found.last else {
            Issue.record("no block")
            return
        }
        let start = unsafe bytes.withUnsafeReadableBytes { UInt(bitPattern: $0.baseAddress) }
        let place = unsafe slice.withUnsafeReadableBytes { UInt(bitPattern: $0.baseAddress) }
        #expect(place - start == UInt(bytes.readableBytes - block.count))
    }

    @Test func `what a cluster need not keep is dropped and what is unknown stays`() {
        let unknown = element(0x5854, [0x58, 0xD7, 0x81, 1])
        let found = events(
            of: shortHeader
                + openCluster(
                    element(0xEC, [0, 0]) + timecode(1) + uint(0xA7, 9) + uint(0xAB, 9)
                        + crcElement([]) + unknown
                )
                + element(0x1C53_BB6B, Bytes(repeating: 0, count: 3000))
                + element(0x4DBB, [1, 2])
                + element(0xEC, [])
                + openCluster(timecode(2))
        )
        #expect(
            Array(found.dropFirst()) == [
                .clusterStart, .timecode(1),
                .child(bytes: timecode(1).buffer, samples: []),
                .child(bytes: unknown.buffer, samples: []),
                .clusterEnd,
                .clusterStart, .timecode(2),
                .child(bytes: timecode(2).buffer, samples: []),
                .clusterEnd,
            ]
        )
    }

    @Test func `a block group is key without a reference and carries its duration`() {
        let key = blockGroup(element(0xA1, blockData(flags: 0, [1, 2])) + uint(0x9B, 40))
        let other = blockGroup(
            uint(0xFB, 0xFE) + element(0xA1, blockData(offset: 5, flags: 0, [3]))
        )
        let found = events(of: shortHeader + cluster(timecode(100) + key + other))
        #expect(
            found.samples == [
                BlockSample(
                    track: 1,
                    timecode: 100,
                    isKeyframe: true,
                    offset: 8,
                    length: 2,
                    duration: 40
                ),
                BlockSample(track: 1, timecode: 105, isKeyframe: false, offset: 11, length: 1),
            ]
        )
    }

    @Test func `tags may be nested, binary and padded`() {
        let nested = element(
            0x1254_C367,
            element(
                0x7373,
                element(0x63C0, [])
                    + element(
                        0x67C8,
                        simpleTag("inner", "i") + element(0x45A3, Array("outer".utf8) + [0, 0])
                            + text(0x4487, "o")
                    )
                    + element(0x67C8, text(0x45A3, "raw") + element(0x4485, [0xFF, 0]))
            )
        )
        let found = events(of: shortHeader + cluster(timecode(0)) + nested)
        #expect(
            found.last
                == .tags(
                    raw: nested.buffer,
                    items: [
                        TagItem(name: "outer", value: "o"), TagItem(name: "inner", value: "i"),
                        TagItem(name: "raw", value: "", isBinary: true),
                    ]
                )
        )
    }

    @Test func `an end between elements is orderly`() {
        #expect(events(of: []).isEmpty)
        #expect(events(of: ebmlHeader + openSegment).isEmpty)
        #expect(events(of: shortHeader).count == 1)
        #expect(events(of: shortHeader + openCluster(timecode(1))).last == .clusterEnd)
    }

    @Test func `what follows a segment of known size may only be padding`() {
        let whole =
            ebmlHeader + element(0x1853_8067, info() + tracks(trackEntry()) + cluster(timecode(1)))
        #expect(events(of: whole + element(0xEC, [0, 0])).last == .clusterEnd)
        #expect(error(of: whole + cluster(timecode(2)))?.code == .invalidData)
    }

    @Test func `an error comes again and what was found before it is kept`() {
        var parser = MatroskaParser()
        var found: [Event] = []
        let bytes = shortHeader + cluster(timecode(1)) + ebmlHeader
        #expect(throws: MatroskaError.self) { try parser.consume(bytes.buffer, into: &found) }
        #expect(found.last == .clusterEnd)
        #expect(throws: MatroskaError.self) { try parser.consume(ByteBuffer(), into: &found) }
        #expect(throws: MatroskaError.self) { try parser.finish(into: &found) }
    }
}

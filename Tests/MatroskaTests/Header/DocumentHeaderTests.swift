import Matroska
import MediaModel
import NIOCore
import Testing

struct DocumentHeaderTests {
    static let video = Track(
        number: 1,
        kind: .video,
        codecID: "V_MPEG4/ISO/AVC",
        codecPrivate: [1, 0x42, 0, 0x1E],
        timeBase: .milliseconds,
        width: 1280,
        height: 720,
        defaultDuration: 40
    )
    static let opus = Track(
        number: 2,
        kind: .audio,
        codecID: "A_OPUS",
        codecPrivate: Array("OpusHead".utf8) + [1, 2, 0x38, 0x01, 0x80, 0xBB, 0, 0, 0, 0, 0],
        timeBase: .milliseconds,
        sampleRate: 48_000,
        channelCount: 2
    )

    @Test func `our own header is these bytes`() {
        let expected = Bytes(
            hex: """
                1A45DFA3 10000023
                  428681 01 42F781 01 42F281 04 42F381 08 428288 6D6174726F736B61 428781 04 428581 02
                18538067 01FFFFFFFFFFFFFF
                1549A966 1000001B
                  2AD7B1 83 0F4240 4D80 87 4B696E656C6F67 5741 87 4B696E656C6F67
                1654AE6B 100000AA
                  AE 10000048 D7 81 01 73C5 88 \(Self.hex(CodecSet.id(of: Self.video))) 4B4C0001
                    83 81 01 9C 81 00 22B59C 83 756E64 86 8F 565F4D504547342F49534F2F415643
                    63A2 84 0142001E 23E383 84 02625A00 E0 10000008 B0 82 0500 BA 82 02D0
                  AE 10000058 D7 81 02 73C5 88 \(Self.hex(CodecSet.id(of: Self.opus))) 4B4C0002
                    83 81 02 9C 81 00 22B59C 83 756E64 86 86 415F4F505553
                    63A2 93 4F707573486561640102380180BB0000000000
                    56AA 83 632EA0 56BB 84 04C4B400 E1 1000000D B5 88 40E7700000000000 9F 81 02
                """
        )
        #expect(DocumentHeaderWriter.encode([Self.video, Self.opus]).array == expected)
    }

    @Test func `the codec set is this checksum`() {
        #expect(CodecSet.id(of: Self.video) == 0xEB90_AF2A)
        var other = Self.video
        other.number = 9
        other.timeBase = .mpegTS
        other.defaultDuration = 3600
        #expect(CodecSet.id(of: other) == CodecSet.id(of: Self.video))
        for change in [
            { $0.codecID = "V_AV1" }, { $0.codecPrivate.append(0) }, { $0.kind = .data },
            { $0.width = 1 }, { $0.height = 1 }, { $0.sampleRate = 1 }, { $0.channelCount = 1 },
            { $0.bitDepth = 1 },
        ] as [(inout Track) -> Void] {
            var changed = Self.video
            change(&changed)
            #expect(CodecSet.id(of: changed) != CodecSet.id(of: Self.video))
        }
    }

    @Test func `what is written is read back`() throws {
        var data = Track(number: 17, kind: .data, codecID: "D_KLV", timeBase: .milliseconds)
        data.codecPrivate = [1]
        let pcm = Track(
            number: 127,
            kind: .audio,
            codecID: "A_PCM/INT/LIT",
            timeBase: .milliseconds,
            sampleRate: 8000,
            channelCount: 1,
            bitDepth: 16
        )
        let tracks = [Self.video, Self.opus, data, pcm]
        let date = Timestamp(milliseconds: 1_795_255_200_123)
        let bytes = DocumentHeaderWriter.encode(tracks, dateUTC: date, title: "dock-3")
        let header = try DocumentHeader.parse(bytes)
        #expect(header.tracks == tracks)
        #expect(header.bytes == bytes)
        #expect(header.dateUTC == date)
        #expect(header.timecodeScale == 1_000_000)
        #expect(header.timeBase == .milliseconds)
        #expect(header.docType == "matroska")
        #expect(header.encodedTracks == [])
        #expect(bytes == DocumentHeaderWriter.encode(tracks, dateUTC: date, title: "dock-3"))
    }

    @Test func `a default duration is written in nanoseconds of the source's ticks`() throws {
        var track = Self.video
        track.timeBase = .mpegTS
        track.defaultDuration = 3003
        let header = try DocumentHeader.parse(DocumentHeaderWriter.encode([track]))
        #expect(header.tracks.map(\.defaultDuration) == [33])
        #expect(header.bytes.array.contains(id(0x23E383) + [0x84] + Bytes(hex: "01FD228B")))
    }

    @Test func `a date that cannot be written is left out`() throws {
        let bytes = DocumentHeaderWriter.encode([Self.video], dateUTC: .endOfTime)
        #expect(try DocumentHeader.parse(bytes).dateUTC == nil)
        #expect(bytes == DocumentHeaderWriter.encode([Self.video]))
    }

    @Test func `tracks are read as producers write them`() throws {
        let entries: [Bytes] = [
            trackEntry(number: 1, type: 3, element(0xE0, uint(0xB0, 640, width: 2))),
            trackEntry(number: 2, type: 3, codec: "X"),
            trackEntry(number: 3, type: 33, codec: "Y", element(0x6D80, [])),
            trackEntry(number: 4, type: 2, codec: "A_MS/ACM", element(0xE1, [])),
            trackEntry(
                number: 5,
                type: 2,
                codec: "A_AAC",
                uint(0x23E383, 21_333_333, width: 4)
                    + element(0xE1, element(0xB5, [0x46, 0xBB, 0x80, 0]) + uint(0x9F, 2))
            ),
        ]
        let header = try DocumentHeader.parse(
            (ebmlHeader + openSegment + info(scale: 100_000) + tracks(entries.flatMap { $0 }))
                .buffer
        )
        #expect(header.tracks.map(\.kind) == [.video, .data, .data, .audio, .audio])
        #expect(header.tracks.map(\.width) == [640, 0, 0, 0, 0])
        #expect(header.tracks.map(\.sampleRate) == [0, 0, 0, 8000, 24_000])
        #expect(header.tracks.map(\.channelCount) == [0, 0, 0, 1, 2])
        #expect(header.tracks.map(\.defaultDuration) == [0, 0, 0, 0, 213])
        #expect(header.tracks.map(\.timeBase) == [TimeBase](repeating: header.timeBase, count: 5))
        #expect(header.timeBase == TimeBase(numerator: 1, denominator: 10_000))
        #expect(header.encodedTracks == [3])
    }

    @Test func `the scale is a millisecond where none is stated`() throws {
        let bytes = ebmlHeader + openSegment + info(scale: nil) + tracks(trackEntry())
        #expect(try DocumentHeader.parse(bytes.buffer).timecodeScale == 1_000_000)
    }

    @Test func `bytes without a whole header are refused`() {
        let bytes = DocumentHeaderWriter.encode([Self.video])
        for length in 0..<bytes.readableBytes {
            let cut = bytes.getSlice(at: 0, length: length) ?? ByteBuffer()
            #expect(throws: MatroskaError.self) { try DocumentHeader.parse(cut) }
        }
    }

    @Test func `fragments behind a header do not disturb it`() throws {
        let bytes = DocumentHeaderWriter.encode([Self.video])
        let longer = bytes.array + cluster(timecode(1)) + [0xA3]
        #expect(try DocumentHeader.parse(longer.buffer).bytes == bytes)
    }

    @Test func `a rewritten header has the date and nothing that points elsewhere`() throws {
        let date = Timestamp(milliseconds: 978_307_201_000)
        let void = element(0xEC, [0, 0])
        let scale = uint(0x2AD7B1, 1_000_000, width: 4)
        let oldInfo = scale + element(0x4489, [0, 0, 0, 0]) + uint(0x4461, 1, width: 8)
        let bytes =
            ebmlHeader + void + openSegment + element(0xBF, [1, 2, 3, 4])
            + element(0x114D_9B74, [0xEC, 0x80]) + void
            + element(0x1549_A966, crcElement(oldInfo) + oldInfo)
            + tracks(trackEntry()) + element(0x1C53_BB6B, [0xEC, 0x80]) + tags(simpleTag("a", "b"))
        let header = try DocumentHeader.parse(bytes.buffer)
        let newInfo = scale + uint(0x4461, 1_000_000_000, width: 8)
        let expected =
            ebmlHeader + void + Bytes(hex: "18538067 01FFFFFFFFFFFFFF") + void
            + element(0x1549_A966, crcElement(newInfo) + newInfo, sizeWidth: 4)
            + tracks(trackEntry()) + tags(simpleTag("a", "b"))
        let output = try header.rewritten(dateUTC: date)
        #expect(output.array == expected)
        #expect(try DocumentHeader.parse(output).dateUTC == date)
    }

    @Test func `tags that only the server writes are taken out of the header`() throws {
        let server = simpleTag("AWS_KINESISVIDEO_FRAGMENT_NUMBER", "1")
        let mine = simpleTag("mine", "2")
        let outer = element(0x67C8, text(0x45A3, "outer") + server + simpleTag("inner", "3"))
        let targets = element(0x63C0, uint(0x63C5, 1))
        let both = element(0x7373, targets + server + mine) + element(0x7373, server)
        let nested = element(0x1254_C367, crcElement(both) + both) + tags(outer)
        let bytes =
            ebmlHeader + openSegment + tags(server) + tracks(trackEntry()) + nested
        let header = try DocumentHeader.parse(bytes.buffer)
        let kept = element(0x7373, targets + mine, sizeWidth: 4)
        let keptOuter = element(
            0x7373,
            element(0x67C8, text(0x45A3, "outer") + simpleTag("inner", "3"), sizeWidth: 4),
            sizeWidth: 4
        )
        let expected =
            ebmlHeader + Bytes(hex: "18538067 01FFFFFFFFFFFFFF") + tracks(trackEntry())
            + element(0x1254_C367, crcElement(kept) + kept, sizeWidth: 4)
            + element(0x1254_C367, keptOuter, sizeWidth: 4)
        let output = try header.withoutReservedTags()
        #expect(output.array == expected)
        let parsed = try DocumentHeader.parse(output)
        #expect(parsed.tags.map(\.name) == ["mine", "outer", "inner"])
        #expect(try parsed.withoutReservedTags() == output)
    }

    private static func hex(_ value: UInt32) -> String {
        String(repeating: "0", count: value.leadingZeroBitCount / 4) + String(value, radix: 16)
    }
}

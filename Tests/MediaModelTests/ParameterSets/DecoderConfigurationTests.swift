@testable import MediaModel
import TestSupport
import Testing

struct DecoderConfigurationTests {
    /// The `avcC` of MP4 files written by libavformat.
    static let avc = [
        "01640028ffe1001b67640028acd940780227e5c044000003000400000300c83c60c65801000668eae3cb22c0"
            + "fdf8f800",
        "0142c00cffe100196742c00cd901419ea23011000003000100000300320f142a4801000568cb83cb20",
        "017a000cffe1001a677a000cb6cb40a0cfc6e022000003000200000300641e28554001000468ce0fc8fefafa00",
        "01f4000cffe1001a67f4000c919b282833dc7e0220000003002000000641e28532c001000668eae3c44844ff"
            + "f8f800",
        "016e101effe10017676e101ea6cb81405ff2e022000003000200000300640801000568ee0f2c8bfdfafa00",
        "014d401fffe10017674d401fda014016ec0440000003004000000c83c60ca801000468ef3c80",
    ]

    @Test(arguments: avc)
    func `the H.264 record made of the sets is byte for byte the one they came in`(
        hex: String
    ) throws {
        let record = [UInt8](hex: hex)
        let read = try DecoderConfiguration(record: record.span, codec: .h264)
        #expect(read.lengthSize == 4)
        #expect(read.parameterSets.isComplete)
        #expect(DecoderConfiguration.record(for: read.parameterSets) == record)
    }

    /// VPS, SPS and PPS made by x265, and the first bytes of the `hvcC` that libavformat makes.
    static let hevc = (
        video: "40010c01ffff0408000003009d0800000300003c95940921",
        sequence: "4201010408000003009d0800000300003cb00a880c1c445b6595952930bc05a02000000300"
            + "20000003032c0292cbc001e848003d091022",
        picture: "4401c073c18927",
        head: "0104080000009d08000000003cf000fcfefafa00000f03"
    )

    @Test func `the H.265 record states what the SPS states and holds the sets`() throws {
        var sets = ParameterSets(codec: .h265)
        for unit in [Self.hevc.video, Self.hevc.sequence, Self.hevc.picture] {
            #expect(!sets.isComplete)
            #expect(DecoderConfiguration.record(for: sets) == nil)
            let bytes = [UInt8](hex: unit)
            sets.add(bytes.span)
        }
        let record = try #require(DecoderConfiguration.record(for: sets))
        let expected =
            Self.hevc.head + "2000010018" + Self.hevc.video + "2100010037" + Self.hevc.sequence
            + "2200010007" + Self.hevc.picture
        #expect(record == [UInt8](hex: expected))
        let read = try DecoderConfiguration(record: record.span, codec: .h265)
        #expect(read.parameterSets == sets)
        #expect(read.lengthSize == 4)
    }

    @Test(arguments: [(0xFC, 1), (0xFD, 2), (0xFF, 4)])
    func `the length size is read`(field: UInt8, size: Int) throws {
        var record = [UInt8](hex: Self.avc[0])
        record[4] = field
        #expect(try DecoderConfiguration(record: record.span, codec: .h264).lengthSize == size)
    }

    @Test func `lengths of three bytes are refused`() {
        var record = [UInt8](hex: Self.avc[0])
        record[4] = 0xFE
        let error = #expect(throws: ParameterSetError.self) {
            try DecoderConfiguration(record: record.span, codec: .h264)
        }
        #expect(
            error?.message == "AVCDecoderConfigurationRecord: NAL unit lengths of 3 bytes,"
                + " before byte 44 of 48"
        )
    }

    @Test func `every cut of a record throws until all sets are there`() throws {
        let record = [UInt8](hex: Self.avc[1])
        for count in 0..<record.count {
            let cut = Array(record.prefix(count))
            #expect(throws: ParameterSetError.self) {
                try DecoderConfiguration(record: cut.span, codec: .h264)
            }
        }
    }

    @Test func `mutated records are read or refused, and what is read can be written`() {
        var generator = SeededGenerator(seed: 3)
        for round in 0..<20_000 {
            let codec: NALCodec = round.isMultiple(of: 2) ? .h264 : .h265
            let record = [UInt8](hex: Self.avc[round % Self.avc.count])
                .mutated(count: 1 + round % 4, using: &generator)
            guard let read = try? DecoderConfiguration(record: record.span, codec: codec) else {
                continue
            }
            _ = DecoderConfiguration.record(for: read.parameterSets)
            _ = read.parameterSets.pictureFacts
        }
    }
}

struct ParameterSetsTests {
    private static let firstSPS = [UInt8](hex: "674d401fda014016ec0440000003004000000c83c60ca8")
    private static let otherSPS = [UInt8](hex: "674d401feca07808bf70800000030080000019078c18cb")
    private static let firstPPS = [UInt8](hex: "68ef3c80")
    private static let otherPPS = [UInt8](hex: "68ebe2cb20")
    /// `pic_parameter_set_id` 1: the code 010 after the header.
    private static let secondPPS = [UInt8](hex: "685be2cb20")

    private func sets(_ units: [UInt8]...) -> ParameterSets {
        var sets = ParameterSets(codec: .h264)
        for unit in units { sets.add(unit.span) }
        return sets
    }

    @Test func `only parameter sets are taken, each once`() {
        let found = sets(
            Self.firstSPS,
            Self.firstPPS,
            [0x65, 0x88],
            [0x06, 0x05],
            Self.firstSPS,
            []
        )
        #expect(found.sequence == [Self.firstSPS])
        #expect(found.picture == [Self.firstPPS])
        #expect(found.video.isEmpty)
        #expect(found.isComplete)
    }

    @Test func `repeated sets change nothing`() {
        let current = sets(Self.firstSPS, Self.firstPPS, Self.secondPPS)
        #expect(current.updated(with: sets()) == current)
        #expect(current.updated(with: current) == current)
        #expect(current.updated(with: sets(Self.firstSPS)) == current)
        #expect(current.updated(with: sets(Self.secondPPS)) == current)
        #expect(current.updated(with: sets(Self.firstSPS, Self.secondPPS)) == current)
    }

    @Test func `a PPS replaces the one with its id alone`() {
        let current = sets(Self.firstSPS, Self.firstPPS, Self.secondPPS)
        let expected = sets(Self.firstSPS, Self.otherPPS, Self.secondPPS)
        #expect(current.updated(with: sets(Self.otherPPS)) == expected)
    }

    @Test func `a new SPS takes what comes with it and drops the rest`() {
        let current = sets(Self.firstSPS, Self.firstPPS, Self.secondPPS)
        let new = sets(Self.otherSPS, Self.otherPPS)
        #expect(current.updated(with: new) == new)
        #expect(
            current.updated(with: sets(Self.otherSPS))
                == sets(Self.otherSPS, Self.firstPPS, Self.secondPPS)
        )
    }

    @Test func `a hundred sets of one kind are cut at the limit`() {
        var many = ParameterSets(codec: .h264)
        for id in 0..<100 {
            let unit = Self.firstSPS + [UInt8(id)]
            many.add(unit.span)
        }
        #expect(many.sequence.count == ParameterSets.countMax)
        let large = [0x67] + [UInt8](repeating: 0xAA, count: ParameterSets.byteCountMax)
        many.add(large.span)
        #expect(many.sequence.count == ParameterSets.countMax)
        #expect(sets(large).isEmpty)
    }

    @Test func `size and reordering come from the first SPS`() {
        #expect(
            sets(Self.firstSPS, Self.firstPPS).pictureFacts
                == PictureFacts(width: 1280, height: 720, reorderCountMax: 0)
        )
        #expect(sets(Self.firstPPS).pictureFacts == nil)
        #expect(sets([0x67, 0x64]).pictureFacts == nil)
    }
}

struct AccessUnitFactsTests {
    private func facts(_ codec: NALCodec, _ units: String...) -> AccessUnitFacts {
        var facts = AccessUnitFacts()
        for unit in units {
            let bytes = [UInt8](hex: unit)
            facts.add(bytes.span, codec: codec)
        }
        return facts
    }

    @Test func `an H.264 IDR picture is a sync sample`() {
        let found = facts(.h264, "67640028", "68eae3", "6588")
        #expect(found.isInstantRefresh)
        #expect(found.isSync)
        #expect(found.hasParameterSets)
        #expect(!found.isOpenRandomAccess)
    }

    @Test func `other H.264 pictures are none`() {
        let found = facts(.h264, "0605ff", "4188")
        #expect(!found.isSync)
        #expect(!found.hasParameterSets)
    }

    @Test(
        arguments: [
            ("06 06 01 84 80", true),
            // Behind another message, one of them with a size above 255.
            ("06 01 02 0000 06 01 84 80", true),
            ("06 05 FF 01" + String(repeating: "AA", count: 256) + "06 01 84 80", true),
            // With emulation prevention inside the message before.
            ("06 01 04 000003000000 03 06 01 84 80", false),
            ("06 01 03 00000300 06 01 84 80", true),
            ("06 01 02 0606 80", false),
            ("06 80", false), ("06", false), ("06 FF", false), ("06 FFFF", false), ("06 06", false),
        ]
    )
    func `a recovery point is found among H.264 messages`(unit: String, isThere: Bool) {
        #expect(facts(.h264, unit, "4188").hasRecoveryPoint == isThere)
        #expect(facts(.h264, unit, "4188").isSync == isThere)
    }

    @Test(
        arguments: [
            (0, false, false, false), (1, false, false, false), (8, false, false, true),
            (9, false, false, true), (16, true, true, false), (17, true, false, false),
            (18, true, false, false), (19, true, false, false), (20, true, false, false),
            (21, true, true, false), (22, false, false, false), (33, false, false, false),
        ]
    )
    func `H.265 pictures are told apart by NAL unit type`(
        type: Int,
        isRandomAccess: Bool,
        isOpen: Bool,
        isSkipped: Bool
    ) {
        var found = AccessUnitFacts()
        let unit = [UInt8(type << 1), 1, 0xAF]
        found.add(unit.span, codec: .h265)
        #expect(found.isRandomAccess == isRandomAccess)
        #expect(found.isOpenRandomAccess == isOpen)
        #expect(found.isSkippedLeading == isSkipped)
        #expect(found.isInstantRefresh == (type == 19 || type == 20))
    }

    @Test(
        arguments: [
            (NALCodec.h264, 9, true), (.h264, 12, true), (.h264, 6, false), (.h264, 7, false),
            (.h264, 5, false), (.h265, 35 << 1, true), (.h265, 38 << 1, true),
            (.h265, 39 << 1, false), (.h265, 32 << 1, false),
        ]
    )
    func `delimiters and filler are dropped, nothing else`(
        codec: NALCodec,
        firstByte: UInt8,
        isDropped: Bool
    ) {
        #expect(codec.kind(firstByte: firstByte).isDropped == isDropped)
    }
}

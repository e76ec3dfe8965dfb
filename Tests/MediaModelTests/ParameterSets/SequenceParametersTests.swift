@testable import MediaModel
import TestSupport
import Testing

struct SequenceParametersTests {
    /// Sets made by x264 and the sizes and delays that decoders see in their streams.
    static let h264: [(name: String, set: String, width: UInt32, height: UInt32, reorder: Int)] = [
        (
            "1080 lines, cropped, 2 reordered",
            "67640028acd940780227e5c044000003000400000300c83c60c658", 1920, 1080, 2
        ),
        (
            "1080 lines, interlaced",
            "67640028acd94078044fde0220000003002000000643e2c5b2c0", 1920, 1080, 2
        ),
        (
            "odd size, none reordered",
            "6764000cacb60a0cf51180880000030008000003019078a157", 318, 178, 0
        ),
        (
            "constrained baseline",
            "6742c00cd901419ea23011000003000100000300320f142a48", 318, 178, 0
        ),
        (
            "4:2:2 in 10 bits", "677a000cb6cb40a0cfc6e022000003000200000300641e285540",
            320, 180, 0
        ),
        ("4:4:4", "67f4000c919b282833dc7e0220000003002000000641e28532c0", 318, 178, 2),
        (
            "rate parameters before the reorder count",
            "6764001eace40280bfe5c044000003000400000300c9810003d090007a13930c01e2c5a240",
            640, 360, 1
        ),
        (
            "scaling matrices in the PPS",
            "6764001eacd940a02ff97011000003000100000300320f162d96", 640, 360, 2
        ),
        ("intra profile", "676e101ea6cb81405ff2e0220000030002000003006408", 640, 360, 0),
        ("bunny.mp4", "674d401fda014016ec0440000003004000000c83c60ca8", 1280, 720, 0),
        (
            "bunny-2s-gop.mp4", "6764001facd9405005bb011000000300100000030320f1831960",
            1280, 720, 2
        ),
        ("visitor.mp4", "674d401feca07808bf70800000030080000019078c18cb", 960, 540, 2),
    ]

    @Test(arguments: h264)
    func `an H.264 SPS tells size and reordering`(
        _ entry: (name: String, set: String, width: UInt32, height: UInt32, reorder: Int)
    ) throws {
        let read = try H264SequenceParameters(nalUnit: [UInt8](hex: entry.set).span)
        #expect(read.width == entry.width, "\(entry.name)")
        #expect(read.height == entry.height, "\(entry.name)")
        #expect(read.reorderCountMax == entry.reorder, "\(entry.name)")
    }

    @Test func `an H.264 SPS tells profile, level, chroma and fields`() throws {
        let interlaced = try H264SequenceParameters(nalUnit: [UInt8](hex: Self.h264[1].set).span)
        #expect(interlaced.profile == 100)
        #expect(interlaced.constraints == 0)
        #expect(interlaced.level == 40)
        #expect(interlaced.mayHaveFields)
        let deep = try H264SequenceParameters(nalUnit: [UInt8](hex: Self.h264[4].set).span)
        #expect(deep.profile == 122)
        #expect(deep.chromaFormat == 2)
        #expect(deep.lumaBitDepth == 10)
        #expect(deep.chromaBitDepth == 10)
        #expect(!deep.mayHaveFields)
    }

    @Test func `without a VUI the reorder count of an H.264 SPS is not known`() throws {
        // Main profile, 320 x 240, pic_order_cnt_type 0, vui_parameters_present_flag 0.
        var bits = "01001101 00000000 00011110" + [0, 0, 0, 0, 1].map(golomb).joined() + "0"
        bits += golomb(19) + golomb(14) + "1 1 0 0 1"
        let read = try H264SequenceParameters(nalUnit: ([0x67] + packed(bits)).span)
        #expect(read.width == 320)
        #expect(read.height == 240)
        #expect(read.reorderCountMax == nil)
    }

    @Test func `a broken VUI of an H.264 SPS counts as absent`() throws {
        let whole = [UInt8](hex: Self.h264[0].set)
        let read = try H264SequenceParameters(nalUnit: Array(whole.prefix(14)).span)
        #expect(read.width == 1920)
        #expect(read.reorderCountMax == nil)
    }

    @Test func `cropping everything away is an error`() {
        // Baseline, 16 x 16, cropped by 8 x 2 on the left.
        var bits = "01000010 00000000 00011110" + [0, 0, 2, 1].map(golomb).joined() + "0"
        bits += golomb(0) + golomb(0) + "1 1 1" + [8, 0, 0, 0].map(golomb).joined() + "0 1"
        #expect(throws: ParameterSetError.self) {
            try H264SequenceParameters(nalUnit: ([0x67] + packed(bits)).span)
        }
    }

    /// Sets made by x265.
    static let h265: [(name: String, set: String, width: UInt32, height: UInt32, reorder: Int)] = [
        (
            "main, 1080 lines",
            "420101016000000300900000030000030078a003c0801107cb965654a4c2f0168080000003008000000c"
                + "84a2", 1920, 1080, 2
        ),
        (
            "window, none reordered",
            "42010101600000030090000003000003003ca00a080c1d4465ba4a4c2f016808000003000800000300c8"
                + "4022", 318, 178, 0
        ),
        (
            "main 10",
            "42010102200000030090000003000003003fa005020169365959a4932bc05a020000030002000003003210"
                + "22", 640, 360, 2
        ),
        (
            "4:2:2 with rate parameters",
            "4201010408000003009d0800000300003cb00a880c1c445b6595952930bc05a0200000030020000003032c"
                + "0292cbc001e848003d091022", 322, 182, 2
        ),
        (
            "4:4:4",
            "4201010408000003009e0800000300003c9001410183e372caca949c2f016808000003000800000300c8"
                + "4022", 320, 180, 2
        ),
    ]

    @Test(arguments: h265)
    func `an H.265 SPS tells size and reordering`(
        _ entry: (name: String, set: String, width: UInt32, height: UInt32, reorder: Int)
    ) throws {
        let read = try H265SequenceParameters(nalUnit: [UInt8](hex: entry.set).span)
        #expect(read.width == entry.width, "\(entry.name)")
        #expect(read.height == entry.height, "\(entry.name)")
        #expect(read.reorderCountMax == entry.reorder, "\(entry.name)")
    }

    @Test func `an H.265 SPS tells profile, level, chroma and depth`() throws {
        let read = try H265SequenceParameters(nalUnit: [UInt8](hex: Self.h265[3].set).span)
        #expect(read.profile == 4)
        #expect(read.compatibility == 0x0800_0000)
        #expect(read.constraints == 0x9D08_0000_0000)
        #expect(read.level == 60)
        #expect(read.chromaFormat == 2)
        #expect(read.lumaBitDepth == 10)
        #expect(read.temporalLayerCount == 1)
        #expect(read.isTemporallyNested)
    }

    @Test func `an H.265 SPS with temporal sub-layers is read past their profiles`() throws {
        // Three sub-layers: the first with profile and level, the second with level alone.
        var bits = "01000010 00000001" + "0000 010 1"
        bits += "00000001" + String(repeating: "0", count: 80) + "01011101"
        bits += "11 01" + String(repeating: "00", count: 6)
        bits += String(repeating: "0", count: 88) + "01011010" + "01011101"
        bits += [0, 1, 320, 180].map(golomb).joined() + "0" + [0, 0, 4].map(golomb).joined()
        bits += "1" + [1, 1, 0, 1, 2, 0, 4, 3, 0].map(golomb).joined()
        let read = try H265SequenceParameters(nalUnit: packed(bits).span)
        #expect(read.temporalLayerCount == 3)
        #expect(read.level == 0x5D)
        #expect(read.reorderCountMax == 3)
    }

    @Test func `every cut of a set is an error or a shorter set, never a trap`() {
        for entry in Self.h264 {
            let bytes = [UInt8](hex: entry.set)
            for count in 0...bytes.count {
                _ = try? H264SequenceParameters(nalUnit: Array(bytes.prefix(count)).span)
            }
            #expect(throws: ParameterSetError.self) {
                try H264SequenceParameters(nalUnit: Array(bytes.prefix(6)).span)
            }
        }
        for entry in Self.h265 {
            let bytes = [UInt8](hex: entry.set)
            for count in 0..<20 {
                #expect(throws: ParameterSetError.self) {
                    try H265SequenceParameters(nalUnit: Array(bytes.prefix(count)).span)
                }
            }
        }
    }

    @Test func `mutated sets are read or refused within bounds`() {
        var generator = SeededGenerator(seed: 2)
        for round in 0..<20_000 {
            let first = Self.h264[round % Self.h264.count]
            let second = Self.h265[round % Self.h265.count]
            let changes = 1 + round % 5
            let one = [UInt8](hex: first.set).mutated(count: changes, using: &generator)
            if let read = try? H264SequenceParameters(nalUnit: one.span) {
                #expect(read.width > 0 && read.height > 0 && read.width <= 1 << 19)
                #expect((0...16).contains(read.reorderCountMax ?? 0))
            }
            let other = [UInt8](hex: second.set).mutated(count: changes, using: &generator)
            if let read = try? H265SequenceParameters(nalUnit: other.span) {
                #expect(read.width > 0 && read.height > 0 && read.width <= 1 << 20)
            }
        }
    }

    @Test func `a set of the other codec is refused`() {
        let h264 = [UInt8](hex: Self.h264[0].set)
        let h265 = [UInt8](hex: Self.h265[0].set)
        #expect(throws: ParameterSetError.self) { try H265SequenceParameters(nalUnit: h264.span) }
        #expect(throws: ParameterSetError.self) { try H264SequenceParameters(nalUnit: h265.span) }
        let none: [UInt8] = []
        #expect(throws: ParameterSetError.self) { try H264SequenceParameters(nalUnit: none.span) }
        #expect(throws: ParameterSetError.self) { try H265SequenceParameters(nalUnit: none.span) }
    }
}

struct BitReaderTests {
    @Test(
        arguments: [
            ("1", 0), ("010", 1), ("011", 2), ("00100", 3), ("00111", 6), ("0001000", 7),
        ]
    )
    func `unsigned Exp-Golomb codes are read`(bits: String, value: UInt32) throws {
        var reader = BitReader(packed(bits), of: "test")
        #expect(try reader.unsigned(max: 100, "value") == value)
        #expect(reader.position == bits.count)
    }

    @Test(arguments: [("1", 0), ("010", 1), ("011", -1), ("00100", 2), ("00101", -2)])
    func `signed Exp-Golomb codes are read`(bits: String, value: Int32) throws {
        var reader = BitReader(packed(bits), of: "test")
        #expect(try reader.signed("value") == value)
    }

    @Test func `the longest code is read and a longer one refused`() throws {
        let longest = String(repeating: "0", count: 31) + String(repeating: "1", count: 32)
        var reader = BitReader(packed(longest), of: "test")
        #expect(try reader.unsigned(max: .max, "value") == .max - 1)
        reader = BitReader(packed("0" + longest), of: "test")
        #expect(throws: ParameterSetError.self) { try reader.unsigned(max: .max, "value") }
        reader = BitReader([UInt8](repeating: 0, count: 100), of: "test")
        #expect(throws: ParameterSetError.self) { try reader.unsigned(max: .max, "value") }
    }

    @Test func `reading past the end throws and says where`() {
        var reader = BitReader([0xFF, 0x0F], of: "test")
        #expect(throws: Never.self) { try reader.skip(12) }
        let error = #expect(throws: ParameterSetError.self) { try reader.bits(5) }
        #expect(error?.message == "test ends at bit 12 of 16, before its last value")
        #expect(throws: ParameterSetError.self) { try reader.skip(5) }
        #expect((try? reader.bits(4)) == 15)
    }

    @Test func `bits are read across bytes`() throws {
        var reader = BitReader([0b1010_0101, 0b1100_0011, 0xFF, 0x00, 0xAA], of: "test")
        #expect(try reader.bits(3) == 0b101)
        #expect(try reader.bits(8) == 0b0010_1110)
        #expect(try reader.bits(0) == 0)
        reader.alignToByte()
        #expect(reader.position == 16)
        #expect(try reader.bits(24) == 0xFF00AA)
    }
}

/// The Exp-Golomb code of a number, as binary digits.
func golomb(_ value: Int) -> String {
    let digits = String(value + 1, radix: 2)
    return String(repeating: "0", count: digits.count - 1) + digits
}

/// Bytes from binary digits, filled up with zeros; spaces are passed over.
func packed(_ bits: String) -> [UInt8] {
    var bytes: [UInt8] = []
    for (index, bit) in bits.filter({ $0 != " " }).enumerated() {
        if index.isMultiple(of: 8) { bytes.append(0) }
        if bit == "1" { bytes[index / 8] |= 0x80 >> UInt8(index % 8) }
    }
    return bytes
}

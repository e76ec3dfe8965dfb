import MediaModel
import TestSupport
import Testing

struct AnnexBTests {
    @Test(
        arguments: [
            ("", []),
            ("0000", []),
            ("000001", []),
            ("00000001", []),
            ("000001 67", ["67"]),
            ("00000001 67", ["67"]),
            ("00000001 67 000001 68", ["67", "68"]),
            ("00000001 6701 00000001 6802 000001 6503", ["6701", "6802", "6503"]),
            // Zero bytes behind a unit are not part of it.
            ("000001 67 00000000 000001 68 0000", ["67", "68"]),
            // Bytes before the first start code are no unit.
            ("AABB 000001 67", ["67"]),
            // Empty units are passed over.
            ("000001 000001 000001 68", ["68"]),
            // Emulation prevention is no start code.
            ("000001 6500000301 000001 41", ["6500000301", "41"]),
            (
                "00000167" + String(repeating: "AA", count: 30),
                ["67" + String(repeating: "AA", count: 30)]
            ),
        ]
    )
    func `NAL units lie between start codes of three or four bytes`(
        stream: String,
        units: [String]
    ) {
        #expect(nalUnits([UInt8](hex: stream)) == units.map { [UInt8](hex: $0) })
    }

    @Test(
        arguments: [
            ("00000001", true), ("00000167", true), ("0000000001", false), ("000001", false),
            ("", false), ("00000101", true), ("01640028", false),
        ]
    )
    func `a start code at the beginning is recognised`(bytes: String, isThere: Bool) {
        let first = [UInt8](hex: bytes)
        let found = AnnexB.hasStartCode(first.span)
        #expect(found == isThere)
    }

    @Test func `the fast search finds what a search byte by byte finds`() {
        var generator = SeededGenerator(seed: 1)
        for round in 0..<2000 {
            // Few values, so that runs of zeros and start codes at every alignment are common.
            let bytes = (0..<(round % 70)).map { _ in
                UInt8.random(in: 0...(round.isMultiple(of: 2) ? 2 : 9), using: &generator)
            }
            for first in 0...bytes.count {
                let expected = (first..<max(first, bytes.count - 2)).first {
                    bytes[$0] == 0 && bytes[$0 + 1] == 0 && bytes[$0 + 2] == 1
                }
                let found = AnnexB.startCode(in: bytes.span, from: first)
                #expect(found == expected)
            }
        }
    }

    @Test func `start codes are found at every distance from the end of a word`() {
        for offset in 0..<40 {
            var bytes = [UInt8](repeating: 0xFF, count: 48)
            bytes.replaceSubrange(offset..<offset + 3, with: [0, 0, 1])
            let found = AnnexB.startCode(in: bytes.span, from: 0)
            #expect(found == offset)
        }
    }

    private func nalUnits(_ bytes: [UInt8]) -> [[UInt8]] {
        var cursor = AnnexB.Cursor()
        var units: [[UInt8]] = []
        while let range = cursor.nextUnit(in: bytes.span) { units.append(Array(bytes[range])) }
        return units
    }
}

struct LengthPrefixedTests {
    @Test(
        arguments: [
            (4, "", [], false),
            (4, "00000001 67 00000002 6801", ["67", "6801"], false),
            (2, "0001 67 0002 6801", ["67", "6801"], false),
            (1, "01 67 02 6801", ["67", "6801"], false),
            (4, "00000000 00000001 67", ["67"], false),
            (4, "00000001 67 00000003 6801", ["67"], true),
            (4, "00000001 67 0000", ["67"], true),
            (4, "FFFFFFFF 67", [], true),
            (2, "FFFF", [], true),
        ]
    )
    func `NAL units follow their lengths, and a length past the end stops the walk`(
        lengthSize: Int,
        sample: String,
        units: [String],
        isMalformed: Bool
    ) {
        let bytes = [UInt8](hex: sample)
        var cursor = LengthPrefixed.Cursor(lengthSize: lengthSize)
        var found: [[UInt8]] = []
        while let range = cursor.nextUnit(in: bytes.span) { found.append(Array(bytes[range])) }
        #expect(found == units.map { [UInt8](hex: $0) })
        #expect(cursor.isMalformed == isMalformed)
    }
}

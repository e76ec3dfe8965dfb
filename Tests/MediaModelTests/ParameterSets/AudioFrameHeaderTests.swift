import MediaModel
import TestSupport
import Testing

struct AudioFrameHeaderTests {
    @Test(arguments: [
        // Layer III of MPEG 1, 2 and 2.5; layers II and I.
        ("FFFB9064", "A_MPEG/L3", UInt32(44_100), UInt32(2), UInt32(1152)),
        ("FFFB94C4", "A_MPEG/L3", 48_000, 1, 1152), ("FFF384C4", "A_MPEG/L3", 24_000, 1, 576),
        ("FFE388C4", "A_MPEG/L3", 8000, 1, 576), ("FFFDA404", "A_MPEG/L2", 48_000, 2, 1152),
        ("FFF5A804", "A_MPEG/L2", 16_000, 2, 1152), ("FFFFA404", "A_MPEG/L1", 48_000, 2, 384),
    ])
    func `frames of MPEG audio state their layer`(
        hex: String,
        codecID: String,
        sampleRate: UInt32,
        channelCount: UInt32,
        frameSampleCount: UInt32
    ) throws {
        let bytes = [UInt8](hex: hex)
        for name in ["A_MPEG/L3", "A_MPEG/L2"] {
            let header = AudioFrameHeader(bytes.span, codecID: name)
            #expect(header?.codecID == codecID)
            #expect(header?.sampleRate == sampleRate)
            #expect(header?.channelCount == channelCount)
            #expect(header?.frameSampleCount == frameSampleCount)
        }
    }

    @Test(arguments: [
        // 2.0, 3/2.1, 1.0, 2.0 at half the rate.
        ("0B77 0000 14 40 40", "A_AC3", UInt32(48_000), UInt32(2), UInt32(1536)),
        ("0B77 0000 54 40 E1", "A_AC3", 44_100, 6, 1536),
        ("0B77 0000 94 40 20", "A_AC3", 32_000, 1, 1536),
        ("0B77 0000 14 48 40", "A_AC3", 24_000, 2, 1536),
        // E-AC-3 of six blocks and of one; with a reduced rate.
        ("0B77 00BF 34 80 00", "A_EAC3", 48_000, 2, 1536),
        ("0B77 00BF 4F 80 00", "A_EAC3", 44_100, 6, 256),
        ("0B77 00BF C4 80 00", "A_EAC3", 24_000, 2, 1536),
    ])
    func `frames of AC-3 state rate and channels`(
        hex: String,
        codecID: String,
        sampleRate: UInt32,
        channelCount: UInt32,
        frameSampleCount: UInt32
    ) throws {
        let header = AudioFrameHeader([UInt8](hex: hex).span, codecID: "A_AC3")
        #expect(header?.codecID == codecID)
        #expect(header?.sampleRate == sampleRate)
        #expect(header?.channelCount == channelCount)
        #expect(header?.frameSampleCount == frameSampleCount)
    }

    @Test func `other bytes are no header`() {
        let wrong = [
            "", "FF", "FFFB90", "00FB9064", "FFEB9064", "FFF99064", "FFFBF064", "FFFB9C64",
        ]
        for hex in wrong {
            #expect(AudioFrameHeader([UInt8](hex: hex).span, codecID: "A_MPEG/L3") == nil)
        }
        for hex in [
            "0B77 0000 14 40", "0B78 0000 14 40 40", "0B77 0000 D4 40 40", "0B77 00BF F4 80 00",
            "0B77 00BF 34 88 00",
        ] {
            #expect(AudioFrameHeader([UInt8](hex: hex).span, codecID: "A_AC3") == nil)
        }
        #expect(AudioFrameHeader([UInt8](hex: "FFFB9064").span, codecID: "A_AAC") == nil)
        var generator = SeededGenerator(seed: 1)
        for _ in 0..<1000 {
            let bytes = (0..<7).map { _ in UInt8.random(in: 0...255, using: &generator) }
            for name in ["A_MPEG/L3", "A_EAC3"] {
                let header = AudioFrameHeader(([0x0B, 0x77] + bytes).span, codecID: name)
                #expect(header.map { $0.sampleRate > 0 && $0.frameSampleCount > 0 } ?? true)
            }
        }
    }
}

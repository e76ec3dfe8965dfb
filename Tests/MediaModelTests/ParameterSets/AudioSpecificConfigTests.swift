import MediaModel
import TestSupport
import Testing

struct AudioSpecificConfigTests {
    @Test(
        arguments: [
            // AAC-LC, 48 kHz, stereo.
            ("1190", 2, 48_000, 48_000, 2, 1024),
            // The same with an explicit end, as libavcodec writes it; six channels.
            ("11B056E500", 2, 48_000, 48_000, 6, 1024),
            // AAC-LC, 44.1 kHz, mono, 960 samples.
            ("120C", 2, 44_100, 44_100, 1, 960),
            // HE-AAC: SBR stated first, core at 24 kHz.
            ("2B11 8800", 2, 24_000, 48_000, 2, 1024),
            // A frequency of its own: 10 kHz.
            ("1780 1388 10", 2, 10_000, 10_000, 2, 1024),
            // AAC-ELD: escaped object type 39, 48 kHz, 512 samples.
            ("F8E6 2000", 39, 48_000, 48_000, 1, 512),
        ]
    )
    func `object type, rates, channels and frame length are read`(
        hex: String,
        objectType: UInt8,
        sampleRate: UInt32,
        outputSampleRate: UInt32,
        channelCount: UInt32,
        frameSampleCount: UInt32
    ) throws {
        let bytes = [UInt8](hex: hex)
        let read = try AudioSpecificConfig(bytes.span)
        #expect(read.objectType == objectType)
        #expect(read.sampleRate == sampleRate)
        #expect(read.outputSampleRate == outputSampleRate)
        #expect(read.channelCount == channelCount)
        #expect(read.frameSampleCount == frameSampleCount)
    }

    @Test func `a program config element tells the channels`() throws {
        let bytes = [UInt8](hex: "118004c4010020000d4c61766335392e33372e313030")
        let read = try AudioSpecificConfig(bytes.span)
        #expect(read.channelConfiguration == 0)
        #expect(read.channelCount == 3)
        let cut = Array(bytes.prefix(5))
        #expect(try AudioSpecificConfig(cut.span).channelCount == 0)
    }

    @Test(arguments: ["", "11", "1680", "17FF", "F8", "1780000010"])
    func `short and reserved configurations are refused`(hex: String) {
        let bytes = [UInt8](hex: hex)
        #expect(throws: ParameterSetError.self) { try AudioSpecificConfig(bytes.span) }
    }

    @Test func `any bytes are read or refused`() {
        var generator = SeededGenerator(seed: 4)
        for _ in 0..<20_000 {
            let bytes = (0..<Int.random(in: 0...8, using: &generator)).map { _ in
                UInt8.random(in: 0...255, using: &generator)
            }
            if let read = try? AudioSpecificConfig(bytes.span) { #expect(read.sampleRate > 0) }
            if let header = ADTSHeader(bytes.span) {
                #expect(header.frameByteCount >= header.headerByteCount)
            }
        }
    }
}

struct ADTSHeaderTests {
    @Test func `a header without checksum is read`() throws {
        // AAC-LC, 48 kHz, stereo, a frame of 371 bytes.
        let bytes = [UInt8](hex: "FFF14C802E7FFC")
        let found = ADTSHeader(bytes.span)
        let header = try #require(found)
        #expect(header.objectType == 2)
        #expect(header.sampleRate == 48_000)
        #expect(header.channelConfiguration == 2)
        #expect(header.headerByteCount == 7)
        #expect(header.frameByteCount == 371)
        #expect(header.blockCount == 1)
        let configuration = header.audioSpecificConfig(rawData: bytes.span)
        #expect(configuration == [0x11, 0x90])
    }

    @Test func `a program config element becomes part of the configuration`() throws {
        // Three channels, as libavcodec encodes and converts them.
        let frame = [UInt8](
            hex: "fff14c002d1ffc a09880 2004000d4c61766335392e33372e313030 de02004c61"
        )
        let found = ADTSHeader(frame.span)
        let header = try #require(found)
        #expect(header.channelConfiguration == 0)
        let rawData = Array(frame.dropFirst(header.headerByteCount))
        let configuration = header.audioSpecificConfig(rawData: rawData.span)
        #expect(configuration == [UInt8](hex: "118004c4010020000d4c61766335392e33372e313030"))
        for count in 0..<20 {
            let cut = Array(rawData.prefix(count))
            let none = header.audioSpecificConfig(rawData: cut.span)
            #expect(none == nil)
        }
        let other = [UInt8](hex: "de02004c61766335")
        let none = header.audioSpecificConfig(rawData: other.span)
        #expect(none == nil)
    }

    @Test func `a checksum makes the header two bytes longer`() throws {
        let bytes = [UInt8](hex: "FFF05080 2E7F FD")
        let found = ADTSHeader(bytes.span)
        let header = try #require(found)
        #expect(header.headerByteCount == 9)
        #expect(header.sampleRate == 44_100)
        #expect(header.blockCount == 2)
    }

    @Test(
        arguments: [
            "", "FFF14C802E7F",
            // A layer that is not zero, as in MP3.
            "FFFB4C802E7FFC",
            // A reserved frequency.
            "FFF1748 02E7FFC",
            // A frame shorter than its header.
            "FFF14C8000DFFC",
        ]
    )
    func `what is no header is refused`(hex: String) {
        let bytes = [UInt8](hex: hex)
        let header = ADTSHeader(bytes.span)
        #expect(header == nil)
    }
}

struct OpusPacketTests {
    @Test(
        arguments: [
            // SILK 20 ms, hybrid 20 ms, CELT 2.5 ms and 20 ms; one frame each.
            ("0800", 960), ("6800", 960), ("8000", 120), ("F800", 960),
            // Two frames, and a count.
            ("F900", 1920), ("FA00", 1920), ("FB06", 5760), ("FB83", 2880), ("1800", 2880),
            ("", nil), ("FB", nil), ("FB00", nil), ("FB07", nil), ("1B3F", nil),
        ] as [(String, UInt32?)]
    )
    func `a packet tells how long it lasts`(hex: String, count: UInt32?) {
        let bytes = [UInt8](hex: hex)
        let found = OpusPacket.sampleCount(bytes.span)
        #expect(found == count)
    }
}

struct EnhancedAC3HeaderTests {
    @Test(
        arguments: [
            ("0B77 0000 04", 2), ("0B77 0000 02", 1), ("0B77 0000 0F", 6), ("0B77 0000 00", 2),
            ("0B77 0000", nil), ("0B78 0000 04", nil), ("", nil),
        ] as [(String, UInt32?)]
    )
    func `a frame tells its channels`(hex: String, count: UInt32?) {
        let bytes = [UInt8](hex: hex)
        let found = EnhancedAC3Header.channelCount(bytes.span)
        #expect(found == count)
    }
}

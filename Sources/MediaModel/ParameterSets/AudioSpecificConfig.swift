/// The set-up of an AAC track: `AudioSpecificConfig` (ISO/IEC 14496-3, 1.6.2.1), which is the
/// CodecPrivate of `A_AAC`.
package struct AudioSpecificConfig: Equatable, Sendable {
    /// The audio object type: 2 for AAC-LC.
    package private(set) var objectType: UInt8

    /// Samples per second of the core coder.
    package private(set) var sampleRate: UInt32

    /// Samples per second that come out: twice the core's with SBR stated explicitly.
    package private(set) var outputSampleRate: UInt32

    /// `channelConfiguration`, 0 to 15; zero when a program config element tells the channels.
    package private(set) var channelConfiguration: UInt8

    /// Samples of the core coder in one access unit: 1024, 960, 512 or 480.
    package private(set) var frameSampleCount: UInt32 = 1024

    /// Channels that come out; zero when they are not told.
    package private(set) var channelCount: UInt32

    /// Reads a configuration.
    ///
    /// - Parameter bytes: The configuration; bytes behind what is read are ignored.
    /// - Throws: When it ends early or states a reserved sampling frequency.
    package init(_ bytes: Span<UInt8>) throws(ParameterSetError) {
        let head = bytes.extracting(first: 8 + ProgramConfigElement.byteCountMax).bytes()
        var reader = BitReader(head, of: "AudioSpecificConfig")
        objectType = try Self.objectType(&reader)
        sampleRate = try Self.frequency(&reader)
        channelConfiguration = UInt8(try reader.bits(4))
        outputSampleRate = sampleRate
        channelCount = Self.channelCount(channelConfiguration)
        if objectType == 5 || objectType == 29 {
            outputSampleRate = try Self.frequency(&reader)
            objectType = try Self.objectType(&reader)
        }
        // The frame length flag is the first bit of GASpecificConfig and of ELDSpecificConfig.
        switch objectType {
        case 1, 2, 3, 4, 6, 7, 17, 19, 20, 21, 22:
            frameSampleCount = try reader.flag() ? 960 : 1024
            if channelConfiguration == 0 { channelCount = Self.programChannelCount(reader) }
        case 23, 39:
            frameSampleCount = try reader.flag() ? 480 : 512
        default:
            break
        }
    }

    private static func channelCount(_ configuration: UInt8) -> UInt32 {
        switch configuration {
        case 1...6: UInt32(configuration)
        case 7, 12, 14: 8
        case 11: 7
        default: 0
        }
    }

    /// Reads on behind the frame length flag of GASpecificConfig (ISO/IEC 14496-3, 4.4.1).
    private static func programChannelCount(_ reader: BitReader) -> UInt32 {
        var reader = reader
        var writer = BitWriter()
        guard let dependsOnCore = try? reader.flag(),
            (try? reader.skip(dependsOnCore ? 15 : 1)) != nil,
            let element = try? ProgramConfigElement(&reader, copyingTo: &writer)
        else { return 0 }
        return element.channelCount
    }

    private static func objectType(_ reader: inout BitReader) throws(ParameterSetError) -> UInt8 {
        let type = try reader.bits(5)
        return type == 31 ? UInt8(32 + (try reader.bits(6))) : UInt8(type)
    }

    private static func frequency(_ reader: inout BitReader) throws(ParameterSetError) -> UInt32 {
        let index = Int(try reader.bits(4))
        let rate: UInt32
        if index == 15 {
            rate = try reader.bits(24)
        } else {
            rate = index < frequencies.count ? frequencies[index] : 0
        }
        guard rate > 0 else {
            throw ParameterSetError(
                .outOfRange,
                "AudioSpecificConfig: sampling frequency index \(index) is reserved"
            )
        }
        return rate
    }

    /// Sampling frequencies by index, in samples per second (ISO/IEC 14496-3, table 1.18).
    package static let frequencies: [UInt32] = [
        96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025,
        8000, 7350,
    ]
}

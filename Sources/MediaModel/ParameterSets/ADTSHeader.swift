/// The header of an AAC frame in an audio data transport stream (ISO/IEC 14496-3, 1.A.2.2).
package struct ADTSHeader: Equatable, Sendable {
    /// The audio object type: 1 main, 2 LC, 3 SSR, 4 LTP.
    package let objectType: UInt8

    /// Index of the sampling frequency, 0 to 12.
    package let frequencyIndex: UInt8

    /// `channel_configuration`, 0 to 7; zero when a program config element tells the channels.
    package let channelConfiguration: UInt8

    /// Bytes of the header, with its checksum if it has one: 7 or 9.
    package let headerByteCount: Int

    /// Bytes of the frame including the header.
    package let frameByteCount: Int

    /// Raw data blocks in the frame, 1 to 4, each of 1024 samples.
    package let blockCount: Int

    /// Bytes needed to read a header.
    package static let byteCountMin = 7

    /// Reads the header at the beginning of a frame.
    ///
    /// Gives `nil` when the bytes are no such header.
    package init?(_ bytes: Span<UInt8>) {
        guard bytes.count >= Self.byteCountMin, bytes[0] == 0xFF, bytes[1] & 0xF6 == 0xF0 else {
            return nil
        }
        objectType = (bytes[2] >> 6) + 1
        frequencyIndex = (bytes[2] >> 2) & 0xF
        channelConfiguration = (bytes[2] & 1) << 2 | bytes[3] >> 6
        headerByteCount = bytes[1] & 1 == 1 ? 7 : 9
        frameByteCount = Int(bytes[3] & 3) << 11 | Int(bytes[4]) << 3 | Int(bytes[5]) >> 5
        blockCount = Int(bytes[6] & 3) + 1
        guard frequencyIndex < AudioSpecificConfig.frequencies.count,
            frameByteCount >= headerByteCount
        else { return nil }
    }

    /// Samples per second.
    package var sampleRate: UInt32 { AudioSpecificConfig.frequencies[Int(frequencyIndex)] }

    /// Whether another header states the same object type, frequency and channels.
    package func hasSameSetUp(as other: ADTSHeader) -> Bool {
        objectType == other.objectType && frequencyIndex == other.frequencyIndex
            && channelConfiguration == other.channelConfiguration
    }

    /// The `AudioSpecificConfig` that says the same.
    ///
    /// - Parameter rawData: The frame behind the header. Where `channelConfiguration` is zero it must
    ///   begin with a program config element, which becomes part of the configuration.
    /// - Returns: `nil` when there is no such element.
    package func audioSpecificConfig(rawData: Span<UInt8>) -> [UInt8]? {
        var writer = BitWriter()
        writer.append(UInt32(objectType), count: 5)
        writer.append(UInt32(frequencyIndex), count: 4)
        writer.append(UInt32(channelConfiguration), count: 4)
        // GASpecificConfig: 1024 samples, no core coder, no extension.
        writer.append(0, count: 3)
        if channelConfiguration == 0 {
            guard (try? Self.copyProgramConfig(rawData, to: &writer)) != nil else { return nil }
        }
        return writer.bytes
    }

    /// Bytes that a program config element has at most, 255 bytes of comment included.
    private static let programConfigByteCountMax = 384

    /// Copies `program_config_element` (ISO/IEC 14496-3, table 4.2).
    private static func copyProgramConfig(
        _ rawData: Span<UInt8>,
        to writer: inout BitWriter
    ) throws(ParameterSetError) {
        let head = rawData.extracting(first: programConfigByteCountMax).bytes()
        var reader = BitReader(head, of: "program config element")
        guard try reader.bits(3) == 5 else {
            throw ParameterSetError(.wrongKind, "The frame begins with another element")
        }
        // element_instance_tag, object_type, sampling_frequency_index
        try writer.copy(10, from: &reader)
        var bitCount = 0
        // Front, side and back channels, then LFE, associated data, and coupling channels.
        for (countBits, bitsEach) in [(4, 5), (4, 5), (4, 5), (2, 4), (3, 4), (4, 5)] {
            bitCount += Int(try writer.copy(countBits, from: &reader)) * bitsEach
        }
        // Mono, stereo and matrix mixdown.
        for bits in [4, 4, 3] where try writer.copy(1, from: &reader) == 1 {
            try writer.copy(bits, from: &reader)
        }
        while bitCount > 0 {
            try writer.copy(min(bitCount, 32), from: &reader)
            bitCount -= min(bitCount, 32)
        }
        reader.alignToByte()
        writer.alignToByte()
        let commentByteCount = try writer.copy(8, from: &reader)
        for _ in 0..<commentByteCount { try writer.copy(8, from: &reader) }
    }
}

/// Writes bits, most significant first.
private struct BitWriter {
    private(set) var bytes: [UInt8] = []
    private var bitCount = 0

    /// Appends the low `count` bits of `value`.
    mutating func append(_ value: UInt32, count: Int) {
        for shift in stride(from: count - 1, through: 0, by: -1) {
            if bitCount.isMultiple(of: 8) { bytes.append(0) }
            bytes[bitCount / 8] |= UInt8((value >> UInt32(shift)) & 1) << UInt8(7 - bitCount % 8)
            bitCount += 1
        }
    }

    /// Fills up with zero bits to the next byte.
    mutating func alignToByte() {
        bitCount = bytes.count * 8
    }

    /// Appends the next `count` bits of a reader and gives their value.
    @discardableResult
    mutating func copy(
        _ count: Int,
        from reader: inout BitReader
    ) throws(ParameterSetError) -> UInt32 {
        let value = try reader.bits(count)
        append(value, count: count)
        return value
    }
}

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
            let head = rawData.extracting(first: ProgramConfigElement.byteCountMax).bytes()
            var reader = BitReader(head, of: "AAC frame")
            guard (try? reader.bits(3)) == ProgramConfigElement.identifier,
                (try? ProgramConfigElement(&reader, copyingTo: &writer)) != nil
            else { return nil }
        }
        return writer.bytes
    }
}

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

    /// The `AudioSpecificConfig` that says the same, two bytes.
    package var audioSpecificConfig: [UInt8] {
        [
            objectType << 3 | frequencyIndex >> 1,
            (frequencyIndex & 1) << 7 | channelConfiguration << 3,
        ]
    }
}

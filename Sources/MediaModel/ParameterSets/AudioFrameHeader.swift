/// What the header of an audio frame says, for containers that do not say it.
package struct AudioFrameHeader: Equatable, Sendable {
    /// Matroska CodecID (RFC 9559, 27).
    package let codecID: String

    /// Samples per second.
    package let sampleRate: UInt32

    /// Channels, the low frequency one included.
    package let channelCount: UInt32

    /// Samples of each channel in the frame.
    package let frameSampleCount: UInt32

    /// Reads the header that frames of a codec begin with.
    ///
    /// Gives `nil` for other codecs than MPEG audio, AC-3 and E-AC-3, and for bytes that are no
    /// such frame.
    ///
    /// - Parameters:
    ///   - bytes: The frame.
    ///   - codecID: Matroska CodecID of the track; of MPEG audio the layer may be wrong.
    package init?(_ bytes: Span<UInt8>, codecID: String) {
        if codecID.hasPrefix("A_MPEG/L") {
            self.init(mpeg: bytes)
        } else if codecID == "A_AC3" || codecID == "A_EAC3" {
            self.init(ac3: bytes)
        } else {
            return nil
        }
    }

    /// ISO/IEC 11172-3, 2.4.2.3; the lower rates are those of ISO/IEC 13818-3 and, by convention,
    /// of "MPEG 2.5".
    private init?(mpeg bytes: Span<UInt8>) {
        guard bytes.count >= 4, bytes[0] == 0xFF, bytes[1] & 0xE0 == 0xE0 else { return nil }
        let version = Int(bytes[1] >> 3) & 3
        let layer = 4 - Int(bytes[1] >> 1) & 3
        let rate = Int(bytes[2] >> 2) & 3
        guard version != 1, layer != 4, bytes[2] >> 4 != 15, rate != 3 else { return nil }
        codecID = "A_MPEG/L\(layer)"
        let rates: [UInt32] = [44_100, 48_000, 32_000]
        sampleRate = rates[rate] >> [2, 0, 1, 0][version]
        channelCount = bytes[3] >> 6 == 3 ? 1 : 2
        frameSampleCount = layer == 1 ? 384 : layer == 3 && version != 3 ? 576 : 1152
    }

    /// ETSI TS 102 366, 4.3 and, for E-AC-3, E.1.2.
    private init?(ac3 bytes: Span<UInt8>) {
        guard bytes.count >= 7, bytes[0] == 0x0B, bytes[1] == 0x77 else { return nil }
        let rates: [UInt32] = [48_000, 44_100, 32_000]
        let rate = Int(bytes[4] >> 6)
        let version = bytes[5] >> 3
        if version > 10 {
            guard version <= 16, let channels = EnhancedAC3Header.channelCount(bytes) else {
                return nil
            }
            codecID = "A_EAC3"
            channelCount = channels
            let second = Int(bytes[4] >> 4) & 3
            guard rate != 3 || second != 3 else { return nil }
            sampleRate = rate == 3 ? rates[second] / 2 : rates[rate]
            frameSampleCount = 256 * (rate == 3 ? 6 : [1, 2, 3, 6][second])
            return
        }
        guard rate != 3 else { return nil }
        codecID = "A_AC3"
        // Versions 9 and 10 run at a half and a quarter of the rate.
        sampleRate = rates[rate] >> (max(8, UInt32(version)) - 8)
        let mode = Int(bytes[6] >> 5)
        // Mix levels stand before the flag of the low frequency channel.
        var place = 3
        if mode & 1 == 1, mode != 1 { place += 2 }
        if mode & 4 == 4 { place += 2 }
        if mode == 2 { place += 2 }
        let low = UInt32(bytes[6] << UInt8(place)) >> 7 & 1
        channelCount = [2, 1, 2, 3, 3, 4, 4, 5][mode] + low
        frameSampleCount = 1536
    }
}

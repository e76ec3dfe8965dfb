/// How long an Opus packet lasts, from its first bytes (RFC 6716, 3.1).
package enum OpusPacket {
    /// The rate that Opus counts in, whatever was encoded.
    package static let sampleRate: UInt32 = 48_000

    /// Samples of 1/48000 s in a packet, 120 to 5760.
    ///
    /// - Parameter bytes: The packet.
    /// - Returns: `nil` for a packet that is too short or lasts longer than 120 ms.
    package static func sampleCount(_ bytes: Span<UInt8>) -> UInt32? {
        guard !bytes.isEmpty else { return nil }
        return sampleCount(bytes[0], bytes.count > 1 ? bytes[1] : nil)
    }

    /// Samples of 1/48000 s in a packet, 120 to 5760.
    ///
    /// - Parameter packet: The packet, or its first two bytes.
    /// - Returns: `nil` for a packet that is too short or lasts longer than 120 ms.
    package static func sampleCount(_ packet: some Collection<UInt8>) -> UInt32? {
        guard let first = packet.first else { return nil }
        return sampleCount(first, packet.dropFirst().first)
    }

    private static func sampleCount(_ first: UInt8, _ second: UInt8?) -> UInt32? {
        let configuration = Int(first >> 3)
        let frame: UInt32
        switch configuration {
        case 0..<12: frame = [480, 960, 1920, 2880][configuration & 3]
        case 12..<16: frame = [480, 960][configuration & 1]
        default: frame = [120, 240, 480, 960][configuration & 3]
        }
        let count: UInt32
        switch first & 3 {
        case 0: count = 1
        case 1, 2: count = 2
        default:
            guard let second else { return nil }
            count = UInt32(second & 0x3F)
        }
        guard (1...5760).contains(frame * count) else { return nil }
        return frame * count
    }
}

extension Track {
    /// How many samples of 1/48000 s an Opus decoder gives before the first of use: `pre-skip` of
    /// the OpusHead (RFC 7845, 5.1).
    ///
    /// Gives `nil` for other codecs and without an OpusHead.
    package var opusPreSkip: UInt16? {
        let head = codecPrivate
        guard codec == .opus, head.count >= 12, head.starts(with: "OpusHead".utf8) else {
            return nil
        }
        return UInt16(head[10]) | UInt16(head[11]) << 8
    }
}

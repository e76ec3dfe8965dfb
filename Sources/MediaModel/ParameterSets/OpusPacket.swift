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
        let configuration = Int(bytes[0] >> 3)
        let frame: UInt32
        switch configuration {
        case 0..<12: frame = [480, 960, 1920, 2880][configuration & 3]
        case 12..<16: frame = [480, 960][configuration & 1]
        default: frame = [120, 240, 480, 960][configuration & 3]
        }
        let count: UInt32
        switch bytes[0] & 3 {
        case 0: count = 1
        case 1, 2: count = 2
        default:
            guard bytes.count >= 2 else { return nil }
            count = UInt32(bytes[1] & 0x3F)
        }
        guard (1...5760).contains(frame * count) else { return nil }
        return frame * count
    }
}

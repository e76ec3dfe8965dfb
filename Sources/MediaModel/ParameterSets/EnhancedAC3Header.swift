/// The beginning of an E-AC-3 frame (ETSI TS 102 366, E.1.2.2).
package enum EnhancedAC3Header {
    /// Channels of the frame's independent substream, the low frequency one included.
    ///
    /// - Parameter bytes: The frame.
    /// - Returns: 1 to 6, or `nil` when the bytes are no such frame.
    package static func channelCount(_ bytes: Span<UInt8>) -> UInt32? {
        guard bytes.count >= 5, bytes[0] == 0x0B, bytes[1] == 0x77 else { return nil }
        let mode = Int(bytes[4] >> 1) & 7
        return [2, 1, 2, 3, 3, 4, 4, 5][mode] + UInt32(bytes[4] & 1)
    }
}

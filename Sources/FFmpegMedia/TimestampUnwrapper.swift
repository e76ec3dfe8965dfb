/// Makes one endless time line of timestamps that start over at a power of two.
///
/// MPEG-TS counts 33 bits of 1/90000 s, so a session that lasts passes zero every 26.5 hours
/// (ISO/IEC 13818-1, 2.4.3.7). libavformat corrects the first passage only. Every timestamp is taken
/// as the one nearest to the timestamp before it, whatever its track: they share one clock.
struct TimestampUnwrapper {
    private var last: Int64?

    /// The timestamp on the endless time line.
    ///
    /// - Parameters:
    ///   - timestamp: A timestamp that is known modulo 2^bitCount.
    ///   - bitCount: The width of the container's field; 63 and more mean that it never starts over.
    /// - Returns: `nil` for no timestamp.
    mutating func unwrap(_ timestamp: Int64?, bitCount: Int32) -> Int64? {
        guard let timestamp, (1..<63).contains(bitCount) else { return timestamp }
        guard let last else {
            self.last = timestamp
            return timestamp
        }
        let period = Int64(1) << Int64(bitCount)
        var step = (timestamp &- last) & (period - 1)
        if step >= period / 2 { step -= period }
        let (unwrapped, overflow) = last.addingReportingOverflow(step)
        self.last = overflow ? timestamp : unwrapped
        return self.last
    }
}

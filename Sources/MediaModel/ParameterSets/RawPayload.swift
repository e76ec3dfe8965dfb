/// The payload of a NAL unit without emulation prevention bytes.
enum RawPayload {
    /// The bytes of a NAL unit with every `03` of `00 00 03` removed (ITU-T H.264, 7.3.1).
    ///
    /// - Parameters:
    ///   - unit: The NAL unit with its header, which is kept.
    ///   - limit: Bytes of `unit` to look at; what lies behind is left out.
    /// - Returns: The unit's header and its payload.
    static func unescaped(_ unit: Span<UInt8>, limit: Int) -> [UInt8] {
        let count = min(unit.count, limit)
        var result: [UInt8] = []
        result.reserveCapacity(count)
        var zeros = 0
        for index in 0..<count {
            let byte = unit[index]
            if zeros >= 2, byte == 3 {
                zeros = 0
                continue
            }
            zeros = byte == 0 ? zeros + 1 : 0
            result.append(byte)
        }
        return result
    }
}

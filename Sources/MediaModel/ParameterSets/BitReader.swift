/// Reads bits, most significant first, from a byte sequence that is held in memory.
///
/// Every read is bounded: reading past the end throws and leaves the position where it was.
struct BitReader {
    private let bytes: [UInt8]

    /// What is being read, for error messages.
    private let subject: String

    /// Bits read so far.
    private(set) var position = 0

    /// A reader at the first bit of `bytes`.
    init(_ bytes: [UInt8], of subject: String) {
        self.bytes = bytes
        self.subject = subject
    }

    /// Bits not yet read.
    var remaining: Int { bytes.count * 8 - position }

    /// The next `count` bits (0 to 32) as an unsigned number.
    mutating func bits(_ count: Int) throws(ParameterSetError) -> UInt32 {
        precondition(count >= 0 && count <= 32)
        guard count <= remaining else { throw truncated() }
        var value: UInt64 = 0
        var left = count
        while left > 0 {
            let inByte = position & 7
            let take = min(left, 8 - inByte)
            let byte = UInt64(bytes[position >> 3])
            value = value << UInt64(take) | (byte >> UInt64(8 - inByte - take)) & (1 << take - 1)
            position += take
            left -= take
        }
        return UInt32(value)
    }

    /// The next bit.
    mutating func flag() throws(ParameterSetError) -> Bool {
        try bits(1) == 1
    }

    /// Passes over `count` bits.
    mutating func skip(_ count: Int) throws(ParameterSetError) {
        guard count <= remaining else { throw truncated() }
        position += count
    }

    /// Passes over the bits up to the next byte boundary.
    mutating func alignToByte() {
        position = (position + 7) & ~7
    }

    /// An unsigned Exp-Golomb number, `ue(v)` (ITU-T H.264, 9.1).
    ///
    /// Codes are at most 63 bits long, so the largest value is 2^32 - 2; a longer code is an error.
    ///
    /// - Parameters:
    ///   - maximum: The largest value the standard allows here.
    ///   - name: The syntax element, for the error message.
    /// - Returns: The value, at most `maximum`.
    /// - Throws: When the value is larger or the bytes end within it.
    mutating func unsigned(
        max maximum: UInt32,
        _ name: StaticString
    ) throws(ParameterSetError) -> UInt32 {
        var zeros = 0
        while try !flag() {
            zeros += 1
            if zeros > 31 { throw outOfRange(name) }
        }
        let value = (UInt64(1) << UInt64(zeros)) - 1 + UInt64(try bits(zeros))
        guard value <= UInt64(maximum) else { throw outOfRange(name) }
        return UInt32(value)
    }

    /// A signed Exp-Golomb number, `se(v)` (ITU-T H.264, 9.1.1).
    mutating func signed(_ name: StaticString) throws(ParameterSetError) -> Int32 {
        let code = Int64(try unsigned(max: .max - 1, name))
        return Int32(truncatingIfNeeded: code & 1 == 1 ? (code + 1) / 2 : -(code / 2))
    }

    private func truncated() -> ParameterSetError {
        ParameterSetError(
            .truncated,
            "\(subject) ends at bit \(position) of \(bytes.count * 8), before its last value"
        )
    }

    private func outOfRange(_ name: StaticString) -> ParameterSetError {
        ParameterSetError(.outOfRange, "\(subject): \(name) before bit \(position) is out of range")
    }
}

/// Which channels an AAC stream has when no index tells them (ISO/IEC 14496-3, table 4.2).
struct ProgramConfigElement {
    /// Channels that come out, low frequency ones included.
    private(set) var channelCount: UInt32 = 0

    /// `ID_PCE`, which precedes the element in a frame but not in a configuration.
    static let identifier: UInt32 = 5

    /// Bytes that an element has at most, 255 bytes of comment included.
    static let byteCountMax = 384

    /// Reads an element and copies it bit for bit.
    ///
    /// - Parameters:
    ///   - reader: At the first bit of the element.
    ///   - writer: Gets the element, with its alignment counted from its own first byte.
    /// - Throws: When the element ends early.
    init(_ reader: inout BitReader, copyingTo writer: inout BitWriter) throws(ParameterSetError) {
        // element_instance_tag, object_type, sampling_frequency_index
        try writer.copy(10, from: &reader)
        var pairedCount: UInt32 = 0
        for _ in 0..<3 { pairedCount += try writer.copy(4, from: &reader) }
        let lowCount = try writer.copy(2, from: &reader)
        let associatedCount = try writer.copy(3, from: &reader)
        let couplingCount = try writer.copy(4, from: &reader)
        // Mono, stereo and matrix mixdown.
        for bits in [4, 4, 3] where try writer.copy(1, from: &reader) == 1 {
            try writer.copy(bits, from: &reader)
        }
        for _ in 0..<pairedCount {
            channelCount += 1 + (try writer.copy(1, from: &reader))
            try writer.copy(4, from: &reader)
        }
        channelCount += lowCount
        for _ in 0..<lowCount + associatedCount { try writer.copy(4, from: &reader) }
        for _ in 0..<couplingCount { try writer.copy(5, from: &reader) }
        reader.alignToByte()
        writer.alignToByte()
        let commentByteCount = try writer.copy(8, from: &reader)
        for _ in 0..<commentByteCount { try writer.copy(8, from: &reader) }
    }
}

/// Writes bits, most significant first.
struct BitWriter {
    /// The bytes so far, the last filled up with zero bits.
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

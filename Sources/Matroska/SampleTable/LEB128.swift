import NIOCore

/// Unsigned LEB128 and zigzag, the integers of the sample table (DWARF 5, 7.6).
enum LEB128 {
    /// How many bytes a value takes: 1 to 10.
    static func length(_ value: UInt64) -> Int {
        max(1, (64 - value.leadingZeroBitCount + 6) / 7)
    }

    /// Appends a value.
    static func write(_ value: UInt64, to bytes: inout ByteBuffer) {
        var rest = value
        while rest >= 0x80 {
            bytes.writeInteger(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.writeInteger(UInt8(rest))
    }

    /// Reads a value and moves the index behind it.
    ///
    /// - Throws: `.invalidTable` for a value that ends with the bytes, takes more bytes than it
    ///   needs, or exceeds 64 bits.
    static func read(_ bytes: Span<UInt8>, _ index: inout Int) throws(MatroskaError) -> UInt64 {
        let start = index
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while index < bytes.count {
            let byte = bytes[index]
            index += 1
            if shift == 63, byte > 1 { break }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 {
                if byte == 0, shift > 0 { break }
                return value
            }
            shift += 7
            if shift > 63 { break }
        }
        throw MatroskaError(
            .invalidTable,
            "A sample table holds a damaged integer of \(index - start) bytes.",
            at: Int64(start)
        )
    }

    /// Small magnitudes of either sign as small unsigned numbers.
    static func zigzag(_ value: Int64) -> UInt64 {
        UInt64(bitPattern: value << 1) ^ UInt64(bitPattern: value >> 63)
    }

    /// The inverse of ``zigzag(_:)``.
    static func unzigzag(_ value: UInt64) -> Int64 {
        Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
    }
}

import CZlib
package import NIOCore

/// A running CRC-32 in the form of RFC 8794, 11.3.1 (polynomial 0x04C11DB7 reflected, as in zlib).
package struct CRC32: Hashable, Sendable {
    /// The CRC-32 of everything fed so far; zero before the first byte.
    package private(set) var value: UInt32

    /// A checksum that continues from an earlier value.
    ///
    /// - Parameter value: The CRC-32 of the bytes that come before; zero for none.
    package init(continuing value: UInt32 = 0) {
        self.value = value
    }

    /// Feeds the readable bytes, which are hashed in place.
    package mutating func update(_ bytes: ByteBuffer) {
        guard bytes.readableBytes > 0 else { return }
        let start = UInt(value)
        value = unsafe bytes.withUnsafeReadableBytes { raw in
            let pointer = unsafe raw.baseAddress?.assumingMemoryBound(to: UInt8.self)
            return unsafe UInt32(truncatingIfNeeded: crc32_z(start, pointer, raw.count))
        }
    }

    /// Feeds bytes of which only the CRC-32 and the length are known.
    package mutating func append(_ crc: UInt32, length: Int64) {
        value = Self.combine(value, crc, lengthOfSecond: length)
    }

    /// The CRC-32 of a buffer's readable bytes.
    package static func of(_ bytes: ByteBuffer) -> UInt32 {
        var checksum = CRC32()
        checksum.update(bytes)
        return checksum.value
    }

    /// The CRC-32 of two stretches of bytes laid end to end, from the CRC-32 of each.
    ///
    /// - Parameters:
    ///   - first: The CRC-32 of the bytes that come first.
    ///   - second: The CRC-32 of the bytes that follow.
    ///   - lengthOfSecond: How many bytes follow; at least zero.
    /// - Returns: What hashing both in one go would give, in time that grows with the logarithm of
    ///   the length.
    package static func combine(_ first: UInt32, _ second: UInt32, lengthOfSecond: Int64) -> UInt32
    {
        precondition(lengthOfSecond >= 0, "a stretch of bytes has no negative length")
        return UInt32(
            truncatingIfNeeded: crc32_combine(UInt(first), UInt(second), Int(lengthOfSecond))
        )
    }
}

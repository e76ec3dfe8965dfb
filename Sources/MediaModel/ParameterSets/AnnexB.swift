/// NAL units in a byte stream with start codes (ITU-T H.264 annex B, ITU-T H.265 annex B).
package enum AnnexB {
    /// A walk over the NAL units of one access unit.
    ///
    /// Bytes before the first start code are no NAL unit and are passed over. Zero bytes behind a
    /// unit belong to the next start code or to `trailing_zero_8bits`, never to the unit, whose last
    /// byte is not zero (ITU-T H.264, 7.4.1).
    package struct Cursor {
        /// Where the payload of the next unit begins; negative until the first start code is found.
        @usableFromInline var next = -1

        /// A walk that starts at the first byte.
        @inlinable
        package init() {}

        /// The next NAL unit that has at least one byte, without its start code.
        ///
        /// - Parameter bytes: The same access unit in every call.
        /// - Returns: The unit's position in `bytes`, or `nil` after the last one.
        @inlinable
        package mutating func nextUnit(in bytes: Span<UInt8>) -> Range<Int>? {
            if next < 0 {
                next = AnnexB.startCode(in: bytes, from: 0).map { $0 + 3 } ?? bytes.count
            }
            while next < bytes.count {
                let start = next
                let following = AnnexB.startCode(in: bytes, from: start)
                next = following.map { $0 + 3 } ?? bytes.count
                var end = following ?? bytes.count
                while end > start, bytes[end - 1] == 0 { end -= 1 }
                if end > start { return start..<end }
            }
            return nil
        }
    }

    /// Whether the bytes begin with a start code of three or four bytes.
    @inlinable
    package static func hasStartCode(_ bytes: Span<UInt8>) -> Bool {
        guard bytes.count >= 4, bytes[0] == 0, bytes[1] == 0 else { return false }
        return bytes[2] == 1 || (bytes[2] == 0 && bytes[3] == 1)
    }

    /// Where the next `00 00 01` begins, at or after `first`.
    ///
    /// Eight bytes are looked at together: compressed video rarely has a zero among them.
    @inlinable
    package static func startCode(in bytes: Span<UInt8>, from first: Int) -> Int? {
        unsafe bytes.withUnsafeBufferPointer { buffer in
            let raw = UnsafeRawBufferPointer(buffer)
            let last = raw.count - 3
            var index = first
            while index <= last {
                if index + 8 <= raw.count {
                    let word = unsafe raw.loadUnaligned(fromByteOffset: index, as: UInt64.self)
                    let low: UInt64 = 0x0101_0101_0101_0101
                    if (word &- low) & ~word & (low << 7) == 0 {
                        index += 8
                        continue
                    }
                }
                // A zero among the next bytes: look at each as the first of a start code.
                let stop = min(index + 8, last + 1)
                while index < stop {
                    if unsafe raw[index] == 0, unsafe raw[index + 1] == 0,
                        unsafe raw[index + 2] == 1
                    {
                        return index
                    }
                    index += 1
                }
            }
            return nil
        }
    }
}

/// NAL units in a sample where each is preceded by its length (ISO/IEC 14496-15, 5.3.4.2).
package enum LengthPrefixed {
    /// A walk over the NAL units of one sample.
    package struct Cursor {
        /// Bytes of each length field: 1, 2 or 4.
        @usableFromInline let lengthSize: Int

        /// Where the next length field begins.
        @usableFromInline var next = 0

        /// Whether a length reached past the end of the sample; nothing is read after it.
        package private(set) var isMalformed = false

        /// A walk that starts at the first byte.
        ///
        /// - Parameter lengthSize: Bytes of each length field, `lengthSizeMinusOne` + 1; 1 to 4.
        package init(lengthSize: Int) {
            precondition((1...4).contains(lengthSize))
            self.lengthSize = lengthSize
        }

        /// The next NAL unit that has at least one byte, without its length field.
        ///
        /// - Parameter bytes: The same sample in every call.
        /// - Returns: The unit's position in `bytes`; `nil` after the last one or at a length that
        ///   reaches past the end.
        package mutating func nextUnit(in bytes: Span<UInt8>) -> Range<Int>? {
            while !isMalformed, next < bytes.count {
                guard bytes.count - next >= lengthSize else {
                    isMalformed = true
                    return nil
                }
                var length = 0
                for index in next..<next + lengthSize { length = length << 8 | Int(bytes[index]) }
                let start = next + lengthSize
                guard length <= bytes.count - start else {
                    isMalformed = true
                    return nil
                }
                next = start + length
                if length > 0 { return start..<next }
            }
            return nil
        }
    }
}

import NIOCore

extension ByteBuffer {
    /// Writes an element id.
    mutating func write(_ id: ElementID) {
        for shift in (0..<id.length).reversed() {
            writeInteger(UInt8(truncatingIfNeeded: id.rawValue >> (8 * UInt32(shift))))
        }
    }

    /// Writes an element size in the fewest bytes that hold it (RFC 8794, 6).
    mutating func writeElementSize(_ size: Int) {
        writeElementSize(size, width: Self.elementSizeWidth(size))
    }

    /// Writes an element size in a fixed number of bytes.
    ///
    /// - Parameters:
    ///   - size: At least zero and below `2^(7 · width) - 1`.
    ///   - width: One to eight.
    mutating func writeElementSize(_ size: Int, width: Int) {
        precondition(
            size >= 0 && size < (1 << (7 * width)) - 1,
            "an element of \(size) bytes does not fit a size field of \(width)"
        )
        let marked = UInt64(size) | 1 << UInt64(7 * width)
        writeBigEndian(marked, width: width)
    }

    /// The fewest bytes that hold an element size; the value with all ones means "unknown" and is
    /// never used.
    static func elementSizeWidth(_ size: Int) -> Int {
        var width = 1
        while size >= (1 << (7 * width)) - 1 { width += 1 }
        return width
    }

    /// Writes the low bytes of an integer, most significant first.
    mutating func writeBigEndian(_ value: UInt64, width: Int) {
        for shift in (0..<width).reversed() {
            writeInteger(UInt8(truncatingIfNeeded: value >> UInt64(8 * shift)))
        }
    }

    /// Writes an unsigned integer element, in the fewest bytes unless a width is given.
    mutating func writeElement(_ id: ElementID, unsigned value: UInt64, width: Int? = nil) {
        let needed = max(1, 8 - value.leadingZeroBitCount / 8)
        let width = width ?? needed
        write(id)
        writeElementSize(width)
        writeBigEndian(value, width: width)
    }

    /// Writes a floating-point element of eight bytes.
    mutating func writeElement(_ id: ElementID, float value: Double) {
        write(id)
        writeElementSize(8)
        writeInteger(value.bitPattern)
    }

    /// Writes a text element.
    mutating func writeElement(_ id: ElementID, text: String) {
        write(id)
        writeElementSize(text.utf8.count)
        writeString(text)
    }

    /// Writes a binary element.
    mutating func writeElement(_ id: ElementID, bytes: ByteBuffer) {
        write(id)
        writeElementSize(bytes.readableBytes)
        writeImmutableBuffer(bytes)
    }

    /// Writes a master element with a size field of four bytes; of eight where that is too small.
    ///
    /// - Parameters:
    ///   - id: The element.
    ///   - hasChecksum: Whether a CRC-32 of the data comes first (RFC 8794, 11.3.1).
    ///   - body: Writes the children.
    mutating func writeMaster(
        _ id: ElementID,
        hasChecksum: Bool = false,
        _ body: (inout ByteBuffer) -> Void
    ) {
        write(id)
        let sizeIndex = writerIndex
        writeInteger(UInt32(0))
        if hasChecksum { writeChecksumElement(0) }
        let dataIndex = writerIndex
        body(&self)
        if hasChecksum {
            let checksum = checksum(from: dataIndex)
            setInteger(checksum, at: dataIndex - 4, endianness: .little)
        }
        let size = writerIndex - sizeIndex - 4
        if size < 0x0FFF_FFFF {
            setInteger(UInt32(size) | 0x1000_0000, at: sizeIndex)
        } else if let data = getSlice(at: sizeIndex + 4, length: size) {
            moveWriterIndex(to: sizeIndex)
            writeElementSize(size, width: 8)
            writeImmutableBuffer(data)
        }
    }

    /// The CRC-32 of what was written since an index.
    ///
    /// A function of its own, because a slice that is still alive would make the next write copy
    /// the whole buffer.
    private func checksum(from index: Int) -> UInt32 {
        getSlice(at: index, length: writerIndex - index).map(CRC32.of) ?? 0
    }

    /// Writes a CRC-32 element.
    mutating func writeChecksumElement(_ value: UInt32) {
        write(.crc32)
        writeElementSize(4)
        writeInteger(value, endianness: .little)
    }
}

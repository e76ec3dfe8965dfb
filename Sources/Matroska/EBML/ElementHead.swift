import NIOCore

/// The id and size at the start of an EBML element (RFC 8794, 5 and 6).
struct ElementHead: Equatable {
    /// What a look at the bytes of a head finds.
    enum Scan: Equatable {
        /// So many bytes, counted from the first byte of the id, tell more.
        case needs(Int)
        /// The head is complete.
        case head(ElementHead)
    }

    /// The longest head read here: an id of four bytes and a size of eight.
    static let lengthMax = 12

    /// Which element it is.
    let id: ElementID

    /// Length of the element's data in bytes, below 2^56 - 1; `nil` for an unknown size.
    let size: Int64?

    /// Length of the id and size themselves.
    let length: Int

    /// Looks for a head in the readable bytes of a buffer.
    ///
    /// - Parameters:
    ///   - buffer: Where to look.
    ///   - index: The head's first byte, counted from the reader index; at most `readableBytes`.
    ///   - offset: The place of that byte in the input, for the error.
    /// - Returns: The head, or how many bytes tell more.
    /// - Throws: `.invalidData` for an id longer than four bytes, a size longer than eight, or an
    ///   id whose value bits are all zeros or all ones.
    static func scan(
        _ buffer: ByteBuffer,
        at index: Int = 0,
        offset: Int64
    ) throws(MatroskaError) -> Scan {
        let bytes = buffer.readableBytesUInt8Span
        let available = bytes.count - index
        guard available > 0 else { return .needs(1) }
        let first = bytes[index]
        let idLength = first.leadingZeroBitCount + 1
        guard idLength <= 4 else { throw badID(UInt32(first), offset) }
        guard available >= idLength else { return .needs(idLength) }
        var id: UInt32 = 0
        for place in index..<index + idLength { id = id << 8 | UInt32(bytes[place]) }
        let idMarker = UInt32(1) << (7 * idLength)
        guard id != idMarker, id != idMarker | (idMarker - 1) else { throw badID(id, offset) }

        guard available > idLength else { return .needs(idLength + 1) }
        let sizeStart = index + idLength
        let sizeLength = bytes[sizeStart].leadingZeroBitCount + 1
        guard sizeLength <= 8 else {
            throw MatroskaError(
                .invalidData,
                "Element \(ElementID(id)) has a size field longer than 8 bytes; send sizes of 1 to 8 bytes.",
                at: offset
            )
        }
        guard available >= idLength + sizeLength else { return .needs(idLength + sizeLength) }
        var size: Int64 = 0
        for place in sizeStart..<sizeStart + sizeLength { size = size << 8 | Int64(bytes[place]) }
        let sizeMask = Int64(1) << (7 * sizeLength) - 1
        size &= sizeMask
        return .head(
            ElementHead(
                id: ElementID(id),
                size: size == sizeMask ? nil : size,
                length: idLength + sizeLength
            )
        )
    }

    /// The id alone, when enough of it is there; `nil` before that.
    ///
    /// Needed where an element must be known by its id before its size has arrived.
    static func id(in buffer: ByteBuffer) -> ElementID? {
        let bytes = buffer.readableBytesUInt8Span
        guard bytes.count > 0 else { return nil }
        let length = bytes[0].leadingZeroBitCount + 1
        guard length <= 4, bytes.count >= length else { return nil }
        var id: UInt32 = 0
        for place in 0..<length { id = id << 8 | UInt32(bytes[place]) }
        return ElementID(id)
    }

    private static func badID(_ id: UInt32, _ offset: Int64) -> MatroskaError {
        MatroskaError(
            .invalidData,
            "An element id was expected, but the bytes begin with \(ElementID(id)), which is none; send Matroska.",
            at: offset
        )
    }
}

import NIOCore

/// The id and size in front of an EBML element (RFC 8794, 5 and 6).
///
/// Everything read here was parsed once on its way into the log, or lies behind a checksum; this
/// only finds the boundaries again.
struct ElementPrefix: Equatable {
    /// What a look at some bytes finds.
    enum Scan: Equatable {
        case prefix(ElementPrefix)
        /// The bytes end within the prefix.
        case needsMore
        /// No element begins here.
        case invalid
    }

    /// The longest prefix there is.
    static let lengthMax = 12

    static let ebml: UInt32 = 0x1A45_DFA3
    static let segment: UInt32 = 0x1853_8067
    static let info: UInt32 = 0x1549_A966
    static let tags: UInt32 = 0x1254_C367
    static let timecode: UInt32 = 0xE7
    static let simpleBlock: UInt32 = 0xA3
    static let blockGroup: UInt32 = 0xA0
    static let block: UInt32 = 0xA1

    /// The id with its length marker, as standards write it.
    var id: UInt32
    /// Bytes of data; `nil` for an unknown size.
    var size: Int?
    /// Bytes of id and size.
    var length: Int

    /// Bytes of the whole element; `nil` for an unknown size or one that does not fit.
    var elementLength: Int? {
        guard let size else { return nil }
        let (sum, overflow) = size.addingReportingOverflow(length)
        return overflow ? nil : sum
    }

    /// Looks at the readable bytes from an index on.
    ///
    /// - Parameters:
    ///   - buffer: Where to look.
    ///   - index: Counted from the reader index.
    /// - Returns: The prefix, if one is there.
    static func scan(_ buffer: ByteBuffer, at index: Int = 0) -> Scan {
        let bytes = buffer.readableBytesUInt8Span
        guard index >= 0, index < bytes.count else { return .needsMore }
        let idLength = bytes[index].leadingZeroBitCount + 1
        guard idLength <= 4 else { return .invalid }
        guard bytes.count - index > idLength else { return .needsMore }
        var id: UInt32 = 0
        for place in index..<index + idLength { id = id << 8 | UInt32(bytes[place]) }
        let start = index + idLength
        let sizeLength = bytes[start].leadingZeroBitCount + 1
        guard sizeLength <= 8 else { return .invalid }
        guard bytes.count - start >= sizeLength else { return .needsMore }
        var size: UInt64 = 0
        for place in start..<start + sizeLength { size = size << 8 | UInt64(bytes[place]) }
        let mask = UInt64(1) << UInt64(7 * sizeLength) - 1
        size &= mask
        return .prefix(
            ElementPrefix(
                id: id,
                size: size == mask ? nil : Int(size),
                length: idLength + sizeLength
            )
        )
    }

    /// Cuts a run of whole elements apart.
    ///
    /// - Returns: Ids and bytes in order; `nil` when the bytes are anything else.
    static func elements(of run: ByteBuffer) -> [(id: UInt32, bytes: ByteBuffer)]? {
        var rest = run
        var elements: [(id: UInt32, bytes: ByteBuffer)] = []
        while rest.readableBytes > 0 {
            guard case .prefix(let prefix) = scan(rest), let length = prefix.elementLength,
                let bytes = rest.readSlice(length: length)
            else { return nil }
            elements.append((prefix.id, bytes))
        }
        return elements
    }
}

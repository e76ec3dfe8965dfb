import NIOCore

/// One element that lies whole in memory.
struct Element {
    /// Which element it is.
    let id: ElementID

    /// All bytes of the element, id and size included.
    let bytes: ByteBuffer

    /// Length of id and size.
    let headLength: Int

    /// Where the element begins in the input, for messages.
    let offset: Int64

    /// The element's data.
    var payload: ByteBuffer {
        var payload = bytes
        payload.moveReaderIndex(forwardBy: headLength)
        return payload
    }

    /// The element's children.
    var children: ElementReader {
        ElementReader(payload, at: offset + Int64(headLength))
    }

    /// An unsigned integer of zero to eight bytes (RFC 8794, 7.2).
    ///
    /// - Throws: `.invalidData` for more than eight bytes.
    func unsigned() throws(MatroskaError) -> UInt64 {
        let data = bytes.readableBytesUInt8Span
        guard data.count - headLength <= 8 else { throw badLength("an integer of at most 8 bytes") }
        var value: UInt64 = 0
        for index in headLength..<data.count { value = value << 8 | UInt64(data[index]) }
        return value
    }

    /// A floating-point number of zero, four or eight bytes (RFC 8794, 7.3).
    ///
    /// - Throws: `.invalidData` for any other length.
    func float() throws(MatroskaError) -> Double {
        let payload = self.payload
        switch payload.readableBytes {
        case 0: return 0
        case 4:
            let bits = payload.getInteger(at: payload.readerIndex, as: UInt32.self) ?? 0
            return Double(Float(bitPattern: bits))
        case 8:
            let bits = payload.getInteger(at: payload.readerIndex, as: UInt64.self) ?? 0
            return Double(bitPattern: bits)
        default: throw badLength("a float of 0, 4 or 8 bytes")
        }
    }

    /// Text up to the first zero byte (RFC 8794, 7.4, 7.5 and 13); bytes that are no UTF-8 become
    /// replacement characters.
    func text() -> String {
        let view = payload.readableBytesView
        return String(decoding: view.prefix { $0 != 0 }, as: UTF8.self)
    }

    private func badLength(_ expected: String) -> MatroskaError {
        MatroskaError(
            .invalidData,
            "Element \(id) holds \(bytes.readableBytes - headLength) bytes where \(expected) was expected.",
            at: offset
        )
    }
}

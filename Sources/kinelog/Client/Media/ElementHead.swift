import NIOCore

/// The id and size at the start of an EBML element (RFC 8794, 5 and 6).
struct ElementHead: Equatable {
    // RFC 8794, 11.2; RFC 9559, 5.1.
    static let ebml: UInt32 = 0x1A45_DFA3
    static let segment: UInt32 = 0x1853_8067
    static let info: UInt32 = 0x1549_A966
    static let timecodeScale: UInt32 = 0x2AD7B1
    static let dateUTC: UInt32 = 0x4461
    static let cluster: UInt32 = 0x1F43_B675
    static let timecode: UInt32 = 0xE7
    static let simpleBlock: UInt32 = 0xA3

    /// The id with its length marker.
    let id: UInt32

    /// Bytes of data; `nil` when unknown.
    let size: Int64?

    /// Bytes of id and size.
    let length: Int

    /// Whether a Cluster of unknown size ends before this element (RFC 8794, 6.2).
    var isAboveCluster: Bool {
        // Every child of Segment and the elements above it have ids of four bytes; no child of
        // Cluster has.
        id > 0x0FFF_FFFF
    }

    /// Reads a head from the start of a buffer.
    ///
    /// - Parameters:
    ///   - bytes: At its reader index the id begins.
    ///   - offset: Where that is in the input, for the error.
    /// - Returns: The head; `nil` when more bytes tell.
    /// - Throws: ``CommandError`` when the bytes are no head.
    static func read(_ bytes: ByteBuffer, at offset: Int64) throws(CommandError) -> ElementHead? {
        guard let idLength = try fieldLength(bytes, 0, longest: 4, offset),
            let sizeLength = try fieldLength(bytes, idLength, longest: 8, offset),
            bytes.readableBytes >= idLength + sizeLength
        else { return nil }
        let view = bytes.readableBytesView
        var id: UInt32 = 0
        for byte in view.prefix(idLength) { id = id << 8 | UInt32(byte) }
        var size: Int64 = 0
        for byte in view.dropFirst(idLength).prefix(sizeLength) { size = size << 8 | Int64(byte) }
        let mask = Int64(1) << (7 * sizeLength) - 1
        size &= mask
        return ElementHead(
            id: id,
            size: size == mask ? nil : size,
            length: idLength + sizeLength
        )
    }

    /// How long the field that begins at an index is; `nil` when its first byte is not there.
    private static func fieldLength(
        _ bytes: ByteBuffer,
        _ index: Int,
        longest: Int,
        _ offset: Int64
    ) throws(CommandError) -> Int? {
        guard let first = bytes.getInteger(at: bytes.readerIndex + index, as: UInt8.self) else {
            return nil
        }
        let length = first.leadingZeroBitCount + 1
        guard length <= longest else {
            throw CommandError(
                "At byte \(offset) no Matroska element begins; the media is damaged or of another kind."
            )
        }
        return length
    }
}

import NIOCore

extension Element {
    /// Compares a leading CRC-32 child with the data that follows it (RFC 8794, 11.3.1).
    ///
    /// - Returns: Whether there is such a child.
    /// - Throws: `.checksumMismatch` when the two differ; `.invalidData` when the first child is
    ///   not readable.
    @discardableResult
    func checkLeadingChecksum() throws(MatroskaError) -> Bool {
        var children = self.children
        guard let first = try children.next(), first.id == .crc32 else { return false }
        let stated = try first.checksum()
        var data = payload
        data.moveReaderIndex(forwardBy: first.bytes.readableBytes)
        let found = CRC32.of(data)
        guard found == stated else { throw Self.mismatch(of: id, stated, found, offset) }
        return true
    }

    /// The value of a CRC-32 element: four bytes, little-endian.
    ///
    /// - Throws: `.invalidData` for any other length.
    func checksum() throws(MatroskaError) -> UInt32 {
        let data = payload
        guard data.readableBytes == 4,
            let value = data.getInteger(at: data.readerIndex, endianness: .little, as: UInt32.self)
        else {
            throw MatroskaError(
                .invalidData,
                "A CRC-32 element holds \(data.readableBytes) bytes instead of 4.",
                at: offset
            )
        }
        return value
    }

    /// What to say when a checksum does not match.
    static func mismatch(
        of id: ElementID,
        _ stated: UInt32,
        _ found: UInt32,
        _ offset: Int64
    ) -> MatroskaError {
        MatroskaError(
            .checksumMismatch,
            "Element \(id) states CRC-32 \(hexadecimal(stated)), but its data have \(hexadecimal(found)); the bytes were damaged on their way.",
            at: offset
        )
    }

    private static func hexadecimal(_ value: UInt32) -> String {
        "0x" + String(value, radix: 16, uppercase: true)
    }
}

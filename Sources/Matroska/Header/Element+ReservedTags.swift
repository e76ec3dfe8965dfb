package import NIOCore

extension Element {
    /// A Tags element without the SimpleTags that only the server may write (KVS 2.5).
    ///
    /// A producer sends them when it uploads again what it has fetched. Everything else stays byte
    /// for byte, but for the sizes of what they were taken from and its CRC-32.
    ///
    /// - Returns: `nil` when nothing is left.
    /// - Throws: `.invalidData` where `TagItem.items(of:)` throws it as well.
    func withoutReservedTags() throws(MatroskaError) -> ByteBuffer? {
        var kept = ByteBuffer()
        var keptCount = 0
        var isChanged = false
        var hasChecksum = false
        var children = self.children
        while let child = try children.next() {
            switch child.id {
            case .tagName where id == .simpleTag:
                if TagItem(name: child.text(), value: "").isReservedForServer { return nil }
                kept.writeImmutableBuffer(child.bytes)
            case .tag, .simpleTag:
                guard let bytes = try child.withoutReservedTags() else {
                    isChanged = true
                    continue
                }
                if bytes.readableBytes != child.bytes.readableBytes { isChanged = true }
                keptCount += 1
                kept.writeImmutableBuffer(bytes)
            case .crc32: hasChecksum = true
            default: kept.writeImmutableBuffer(child.bytes)
            }
        }
        guard isChanged else { return bytes }
        // A SimpleTag says something without those nested in it.
        if keptCount == 0, id != .simpleTag { return nil }
        var output = ByteBuffer()
        output.writeMaster(id, hasChecksum: hasChecksum) { $0.writeImmutableBuffer(kept) }
        return output
    }
}

extension TagItem {
    /// A producer's Tags element without the tags that only the server may write (KVS 2.5).
    ///
    /// - Parameter tags: One whole Tags element.
    /// - Returns: The same bytes where it has none of them; no bytes when nothing else is in it.
    /// - Throws: `.invalidData` for anything else.
    package static func withoutReserved(_ tags: ByteBuffer) throws(MatroskaError) -> ByteBuffer {
        var elements = ElementReader(tags, at: 0)
        guard let element = try elements.next() else { return ByteBuffer() }
        return try element.withoutReservedTags() ?? ByteBuffer()
    }
}

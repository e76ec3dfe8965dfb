package import NIOCore

extension DocumentHeader {
    /// The header without tags that only the server may write (KVS 2.5).
    ///
    /// A producer that uploads again what it has fetched sends those of its first fragment before
    /// its first Cluster; in the header they would be served with every fragment of its session.
    ///
    /// - Returns: The header's bytes; the same ones where it has no such tags.
    /// - Throws: `.invalidData` when `bytes` are no header.
    package func withoutReservedTags() throws(MatroskaError) -> ByteBuffer {
        guard tags.contains(where: \.isReservedForServer) else { return bytes }
        return try rewritten { child, output throws(MatroskaError) in
            guard child.id == .tags else {
                output.writeImmutableBuffer(child.bytes)
                return
            }
            if let kept = try child.withoutReservedTags() { output.writeImmutableBuffer(kept) }
        }
    }

    /// The header with the children of its Segment written anew.
    ///
    /// - Parameter write: Writes what is to stand in a child's place.
    /// - Returns: The header's bytes.
    /// - Throws: `.invalidData` when `bytes` are no header.
    func rewritten(
        _ write: (Element, inout ByteBuffer) throws(MatroskaError) -> Void
    ) throws(MatroskaError) -> ByteBuffer {
        var rest = bytes
        var output = ByteBuffer()
        output.reserveCapacity(bytes.readableBytes + 32)
        // The Segment cannot be read as an element: its size is unknown.
        while case .head(let head) = try ElementHead.scan(rest, offset: 0), head.id != .segment {
            guard let size = head.size, size <= Int64(rest.readableBytes - head.length),
                let element = rest.readSlice(length: head.length + Int(size))
            else { break }
            output.writeImmutableBuffer(element)
        }
        guard case .head(let head) = try ElementHead.scan(rest, offset: 0), head.id == .segment
        else {
            throw MatroskaError(.invalidData, "A stored header has no Segment.", at: 0)
        }
        rest.moveReaderIndex(forwardBy: head.length)
        output.writeSegmentHead()
        var children = ElementReader(rest, at: Int64(bytes.readableBytes - rest.readableBytes))
        while let child = try children.next() { try write(child, &output) }
        return output
    }
}

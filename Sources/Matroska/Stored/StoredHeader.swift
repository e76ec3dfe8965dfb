package import NIOCore

/// Finds where the header of a log segment ends, for when the index is lost.
package enum StoredHeader {
    /// Bytes of the header: where the first fragment begins.
    ///
    /// The first Tags with a sample table begin the first fragment, since no header holds one (see
    /// ``MatroskaParser``). Voids right before it, or at the end of a file without fragments, are
    /// deleted fragments.
    ///
    /// - Parameter read: Reads the log segment, as for ``StoredFragmentScanner``.
    /// - Returns: `nil` when the file does not begin with a whole EBML header and Segment head.
    /// - Throws: What `read` throws.
    package static func length(
        _ read: (_ offset: Int64, _ length: Int) throws -> ByteBuffer
    ) throws -> Int64? {
        var window = SegmentWindow(readLength: 16 << 10)
        var offset: Int64 = 0
        var end: Int64?
        while true {
            let start = try window.bytes(at: offset, length: TagsWriter.samplesStartLength, read)
            guard case .head(let head)? = try? ElementHead.scan(start, offset: offset) else {
                break
            }
            if offset == 0, head.id != .ebml { return nil }
            if head.id == .segment, end == nil {
                offset += Int64(head.length)
                end = offset
                continue
            }
            guard let size = head.size, head.id != .cluster, !TagsWriter.isSamples(start) else {
                break
            }
            let next = offset + Int64(head.length) + size
            if try read(next - 1, 1).readableBytes == 0 { break }
            offset = next
            if end != nil, head.id != .void { end = next }
        }
        return end
    }
}

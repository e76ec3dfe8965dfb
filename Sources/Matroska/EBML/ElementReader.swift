import NIOCore

/// Walks over elements that lie whole in memory, one beside the other.
struct ElementReader {
    private var rest: ByteBuffer

    /// Where the next element begins in the input.
    private(set) var offset: Int64

    /// - Parameters:
    ///   - bytes: The data of a master element, or any run of whole elements.
    ///   - offset: Where those bytes begin in the input, for messages.
    init(_ bytes: ByteBuffer, at offset: Int64) {
        self.rest = bytes
        self.offset = offset
    }

    /// The next element; `nil` after the last one.
    ///
    /// - Throws: `.invalidData` for a bad head, an unknown size, or an element that reaches beyond
    ///   the bytes given.
    mutating func next() throws(MatroskaError) -> Element? {
        guard rest.readableBytes > 0 else { return nil }
        guard case .head(let head) = try ElementHead.scan(rest, offset: offset) else {
            throw MatroskaError(
                .invalidData,
                "The last \(rest.readableBytes) bytes of a master element are no whole element.",
                at: offset
            )
        }
        guard let size = head.size else { throw Self.unknownSize(head.id, offset) }
        guard size <= Int64(rest.readableBytes - head.length),
            let bytes = rest.readSlice(length: head.length + Int(size))
        else {
            throw MatroskaError(
                .invalidData,
                "Element \(head.id) of \(size) bytes reaches beyond its parent, which has \(rest.readableBytes - head.length) left.",
                at: offset
            )
        }
        let element = Element(id: head.id, bytes: bytes, headLength: head.length, offset: offset)
        offset += Int64(bytes.readableBytes)
        return element
    }

    /// What to say of an unknown size anywhere but on Segment and Cluster.
    static func unknownSize(_ id: ElementID, _ offset: Int64) -> MatroskaError {
        MatroskaError(
            .invalidData,
            "Element \(id) has an unknown size; only Segment and Cluster may have one.",
            at: offset
        )
    }
}

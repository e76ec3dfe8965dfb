import Matroska
import NIOCore

/// A producer's Tags elements on their way out.
enum ProducerTags {
    /// The most bytes of tags on one side of a Cluster that are given out; ingest takes in far less.
    static let lengthMax = 8 << 20

    /// The same elements, byte for byte, without those that carry a name only the server may write.
    ///
    /// A producer sends such when it uploads again what it has fetched (KVS 2.5).
    static func withoutReservedNames(_ tags: ByteBuffer) -> ByteBuffer {
        guard tags.readableBytes > 0, let elements = ElementPrefix.elements(of: tags) else {
            return tags
        }
        let kept = elements.filter { !isReserved($0.id, $0.bytes) }
        if kept.count == elements.count { return tags }
        var output = ByteBuffer()
        for element in kept { output.writeImmutableBuffer(element.bytes) }
        return output
    }

    /// Whether an element is Tags with a name that only the server may write.
    static func isReserved(_ id: UInt32, _ element: ByteBuffer) -> Bool {
        guard id == ElementPrefix.tags, let items = try? TagItem.items(in: element) else {
            return false
        }
        return items.contains(where: \.isReservedForServer)
    }
}

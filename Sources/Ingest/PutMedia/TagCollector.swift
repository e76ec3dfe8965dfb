import Matroska
import NIOCore

/// The producer's tags of one fragment, those before its Cluster or those after it (KVS 2.5).
struct TagCollector {
    /// Whole Tags elements, as sent but for tags that only the server may write.
    private(set) var bytes = ByteBuffer()

    /// Tags that count towards the limit.
    private(set) var count = 0

    var isEmpty: Bool { bytes.readableBytes == 0 }

    /// Adds one Tags element.
    ///
    /// - Returns: Whether its names and values, and all tags together, are short enough.
    mutating func add(raw: ByteBuffer, items: [TagItem], limits: PutMediaLimits) -> Bool {
        let kept = items.filter { !$0.isReservedForServer }
        let counted = kept.filter { $0.name != TagItem.endOfFragmentName }
        let areShort = counted.allSatisfy {
            $0.name.utf8.count <= limits.tagNameBytesMax
                && $0.value.utf8.count <= limits.tagValueBytesMax
        }
        guard areShort, bytes.readableBytes + raw.readableBytes <= limits.tagsBytesMax else {
            return false
        }
        count += counted.count
        if kept.count == items.count {
            bytes.writeImmutableBuffer(raw)
        } else if let rest = try? TagItem.withoutReserved(raw) {
            // A re-upload of what GetMedia sent: the server's own tags must not come back twice.
            bytes.writeImmutableBuffer(rest)
        }
        return true
    }

    /// Puts another fragment's leftovers in front.
    mutating func prepend(_ other: TagCollector) {
        var joined = other
        joined.bytes.writeImmutableBuffer(bytes)
        joined.count += count
        self = joined
    }
}

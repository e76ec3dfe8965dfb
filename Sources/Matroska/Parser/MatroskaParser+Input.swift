import NIOCore

/// Getting whole heads and elements out of bytes that arrive in pieces.
extension MatroskaParser {
    /// The head of the next element, which stays unread; `nil` when it has not arrived.
    ///
    /// A Cluster is announced by its id alone. A head that arrives in pieces is gathered in `partial` byte by byte as far as it reaches, so
    /// that `partial` never holds anything of the element after it.
    mutating func readHead(_ events: inout [Event]) throws(MatroskaError) -> ElementHead? {
        if partial.readableBytes == 0 {
            guard input.readableBytes > 0 else { return nil }
            if ElementHead.id(in: input) == .cluster { try announceCluster(&events) }
            if case .head(let head) = try ElementHead.scan(input, offset: position) { return head }
        }
        while true {
            switch try ElementHead.scan(partial, offset: position) {
            case .head(let head):
                return head
            case .needs(let length):
                gather(length)
                if ElementHead.id(in: partial) == .cluster { try announceCluster(&events) }
                if partial.readableBytes < length { return nil }
            }
        }
    }

    /// The next `length` bytes in one piece; `nil` when they have not all arrived.
    mutating func take(_ length: Int) -> ByteBuffer? {
        if partial.readableBytes == 0, let bytes = input.readSlice(length: length) { return bytes }
        // What a producer declares is not yet there: beyond a mebibyte memory follows the bytes.
        partial.reserveCapacity(min(length, 1 << 20))
        gather(length)
        guard partial.readableBytes == length else { return nil }
        let bytes = partial
        partial = ByteBuffer()
        return bytes
    }

    /// Drops the next `count` bytes; `false` when they have not all arrived.
    mutating func skip(_ count: Int64) -> Bool {
        let present = Int(min(count, Int64(input.readableBytes)))
        if let bytes = input.readSlice(length: present) { cluster.checksum?.running.update(bytes) }
        position += Int64(present)
        step = .skip(count - Int64(present))
        return Int64(present) == count
    }

    /// Drops the head that ``readHead(_:)`` found.
    mutating func dropHead(_ head: ElementHead) {
        if let bytes = take(head.length) { cluster.checksum?.running.update(bytes) }
        position += Int64(head.length)
    }

    /// Moves bytes from `input` to `partial` until it has `length` of them or none are left.
    private mutating func gather(_ length: Int) {
        let missing = min(length - partial.readableBytes, input.readableBytes)
        if let bytes = input.readSlice(length: missing) { partial.writeImmutableBuffer(bytes) }
    }
}

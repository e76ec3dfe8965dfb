package import NIOCore

/// Moves stored Clusters to other timecodes on their way out, without touching their blocks.
package enum ClusterRewriter {
    /// What to send in place of a Cluster's first bytes.
    package struct Prefix: Equatable, Sendable {
        /// The bytes to send.
        package var replacement: ByteBuffer

        /// How many bytes at the start of the Cluster they stand for.
        package var replacedLength: Int

        /// By how many bytes the Cluster grows; zero in most cases.
        package var growth: Int { replacement.readableBytes - replacedLength }
    }

    /// How many bytes of a Cluster to give to ``rewrite(_:timecode:)`` at first: enough unless
    /// other children stand before the Timecode.
    package static let recommendedLength = 64

    /// Gives a Cluster another timecode and turns its CRC-32, which then no longer holds, into a
    /// Void of the same length.
    ///
    /// The length stays the same where the new timecode fits the bytes of the old one; else the
    /// Timecode takes eight bytes and a known size is corrected.
    ///
    /// - Parameters:
    ///   - start: The first bytes of the Cluster, from its id through at least its Timecode. The
    ///     Cluster's size may be known or unknown.
    ///   - timecode: Ticks of TimecodeScale.
    /// - Returns: What to send in place of which bytes.
    /// - Throws: `.truncated` when the Timecode is not among the bytes: give more. `.invalidData`
    ///   when they are no Cluster.
    package static func rewrite(
        _ start: ByteBuffer,
        timecode: UInt64
    ) throws(MatroskaError) -> Prefix {
        let head = try self.head(start, at: 0)
        guard head.id == .cluster else {
            throw MatroskaError(
                .invalidData,
                "A Cluster was expected, but element \(head.id) was found.",
                at: 0
            )
        }
        var index = head.length
        var before = ByteBuffer()
        while true {
            let child = try self.head(start, at: index)
            guard let size = child.size else {
                throw ElementReader.unknownSize(child.id, Int64(index))
            }
            guard size <= Int64(start.readableBytes - index - child.length) else {
                throw truncated(start)
            }
            let length = child.length + Int(size)
            if child.id == .timecode {
                return try replace(start, head, before, Int(size), index + length, timecode)
            }
            if child.id == .crc32, index == head.length, length == 6 {
                before.write(.void)
                before.writeElementSize(4)
                before.writeInteger(UInt32(0))
            } else if let bytes = start.getSlice(at: start.readerIndex + index, length: length) {
                before.writeImmutableBuffer(bytes)
            }
            index += length
        }
    }

    /// Puts a new prefix together: `before` are the children before the Timecode as they are to be
    /// sent, `width` is how many bytes the old timecode has, `end` the first byte after it.
    private static func replace(
        _ start: ByteBuffer,
        _ head: ElementHead,
        _ before: ByteBuffer,
        _ width: Int,
        _ end: Int,
        _ timecode: UInt64
    ) throws(MatroskaError) -> Prefix {
        let needed = max(1, 8 - timecode.leadingZeroBitCount / 8)
        let newWidth = needed <= width && width <= 8 ? width : 8
        var element = ByteBuffer()
        element.writeElement(.timecode, unsigned: timecode, width: newWidth)
        // A size field that is written as it stood keeps a Cluster byte for byte where it can.
        let children = before.readableBytes + element.readableBytes
        let growth = children - (end - head.length)
        var bytes = ByteBuffer()
        bytes.reserveCapacity(ClusterWriter.headLength + children)
        if let size = head.size, growth != 0 {
            guard let newSize = Int(exactly: size), newSize < 1 << 55 else {
                throw MatroskaError(.invalidData, "A Cluster states \(size) bytes.", at: 0)
            }
            bytes.write(.cluster)
            bytes.writeElementSize(newSize + growth, width: 8)
        } else if let kept = start.getSlice(at: start.readerIndex, length: head.length) {
            bytes.writeImmutableBuffer(kept)
        }
        bytes.writeImmutableBuffer(before)
        bytes.writeImmutableBuffer(element)
        return Prefix(replacement: bytes, replacedLength: end)
    }

    private static func head(
        _ start: ByteBuffer,
        at index: Int
    ) throws(MatroskaError) -> ElementHead {
        guard case .head(let head) = try ElementHead.scan(start, at: index, offset: Int64(index))
        else { throw truncated(start) }
        return head
    }

    private static func truncated(_ start: ByteBuffer) -> MatroskaError {
        MatroskaError(
            .truncated,
            "The first \(start.readableBytes) bytes of a Cluster do not reach past its Timecode; give more.",
            at: Int64(start.readableBytes)
        )
    }
}

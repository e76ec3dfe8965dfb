package import NIOCore

/// Writes the parts of Clusters other than payloads (RFC 9559, 5.1.3).
package enum ClusterWriter {
    /// Length of a stored Cluster's id and size; its data begin here.
    package static let headLength = 12

    /// Length of the CRC-32 element with which a stored Cluster's data begin; the first kept child
    /// follows it.
    package static let checksumLength = 6

    /// Length of what stands before a stored Cluster's first kept child: id, size and CRC-32.
    package static let prefixLength = 18

    /// Length of a Timecode as ``timecode(_:)`` writes it.
    package static let timecodeLength = 10

    /// The most bytes a SimpleBlock has before its payload.
    package static let simpleBlockHeadLengthMax = 13

    /// What comes before the children of a stored Cluster: id, size in eight bytes, CRC-32.
    ///
    /// - Parameters:
    ///   - childrenLength: Bytes of all children that follow.
    ///   - crc: The CRC-32 of those bytes.
    /// - Returns: ``prefixLength`` bytes.
    package static func prefix(childrenLength: Int, crc: UInt32) -> ByteBuffer {
        var bytes = ByteBuffer()
        bytes.reserveCapacity(prefixLength)
        bytes.write(.cluster)
        bytes.writeElementSize(childrenLength + checksumLength, width: 8)
        bytes.writeChecksumElement(crc)
        return bytes
    }

    /// What comes before the children of a Cluster that is still growing: id and unknown size.
    package static var unknownSizeHead: ByteBuffer {
        var bytes = ByteBuffer()
        bytes.write(.cluster)
        bytes.writeInteger(UInt64(0x01FF_FFFF_FFFF_FFFF))
        return bytes
    }

    /// A Timecode whose value always takes eight bytes, so that it can be patched in place.
    ///
    /// - Parameter ticks: Ticks of TimecodeScale.
    /// - Returns: ``timecodeLength`` bytes.
    package static func timecode(_ ticks: UInt64) -> ByteBuffer {
        var bytes = ByteBuffer()
        bytes.reserveCapacity(timecodeLength)
        bytes.writeElement(.timecode, unsigned: ticks, width: 8)
        return bytes
    }

    /// Appends what stands before the payload of an unlaced SimpleBlock (RFC 9559, 10.2).
    ///
    /// - Parameters:
    ///   - track: TrackNumber, 1 to 127.
    ///   - offset: Ticks from the Cluster's timecode.
    ///   - isKeyframe: Whether decoding can start here.
    ///   - payloadLength: Bytes of the frame, which the caller puts behind; below 2^55.
    ///   - bytes: Where to write.
    /// - Returns: How many bytes were written, 7 to ``simpleBlockHeadLengthMax``.
    @discardableResult
    package static func writeSimpleBlockHead(
        track: UInt8,
        offset: Int16,
        isKeyframe: Bool,
        payloadLength: Int,
        into bytes: inout ByteBuffer
    ) -> Int {
        precondition((1...127).contains(track), "a track number is 1 to 127")
        let start = bytes.writerIndex
        bytes.write(.simpleBlock)
        bytes.writeElementSize(payloadLength + 4)
        let flags: UInt32 = isKeyframe ? 0x80 : 0
        bytes.writeInteger(
            UInt32(track | 0x80) << 24 | UInt32(UInt16(bitPattern: offset)) << 8 | flags
        )
        return bytes.writerIndex - start
    }

    /// What stands before the payload of an unlaced SimpleBlock, in a buffer of its own.
    package static func simpleBlockHead(
        track: UInt8,
        offset: Int16,
        isKeyframe: Bool,
        payloadLength: Int
    ) -> ByteBuffer {
        var bytes = ByteBuffer()
        bytes.reserveCapacity(simpleBlockHeadLengthMax)
        writeSimpleBlockHead(
            track: track,
            offset: offset,
            isKeyframe: isKeyframe,
            payloadLength: payloadLength,
            into: &bytes
        )
        return bytes
    }
}

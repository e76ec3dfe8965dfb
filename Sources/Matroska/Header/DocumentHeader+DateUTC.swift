package import MediaModel
package import NIOCore

extension DocumentHeader {
    /// The header for native output: as it is, with another DateUTC in Info.
    ///
    /// SeekHead, Cues and a CRC-32 of the Segment are dropped, since they would point to the wrong
    /// places, and so is Info's Duration, which is that of the producer's document. Everything else
    /// stays byte for byte.
    ///
    /// - Parameter dateUTC: The instant that timecode zero stands for in the output; outside the
    ///   years 1708 to 2293 the header gets no DateUTC (RFC 8794, 7.6).
    /// - Returns: The header's bytes; give them to ``parse(_:)`` for the values.
    /// - Throws: `.invalidData` when `bytes` are no header.
    package func rewritten(dateUTC: Timestamp) throws(MatroskaError) -> ByteBuffer {
        try rewritten { child, output throws(MatroskaError) in
            switch child.id {
            case .seekHead, .cues, .crc32: break
            case .info: try Self.writeInfo(child, dateUTC, &output)
            default: output.writeImmutableBuffer(child.bytes)
            }
        }
    }

    private static func writeInfo(
        _ info: Element,
        _ dateUTC: Timestamp,
        _ output: inout ByteBuffer
    ) throws(MatroskaError) {
        var kept: [ByteBuffer] = []
        var hasChecksum = false
        var children = info.children
        while let child = try children.next() {
            switch child.id {
            case .crc32: hasChecksum = true
            case .dateUTC, .duration: continue
            default: kept.append(child.bytes)
            }
        }
        output.writeMaster(.info, hasChecksum: hasChecksum) { body in
            for child in kept { body.writeImmutableBuffer(child) }
            if let ticks = InfoElement.dateTicks(dateUTC) {
                body.writeElement(.dateUTC, unsigned: UInt64(bitPattern: ticks), width: 8)
            }
        }
    }
}

import NIOCore

extension ByteBuffer {
    /// Writes the Segment's id with an unknown size in eight bytes (RFC 8794, 6.2).
    mutating func writeSegmentHead() {
        write(.segment)
        writeInteger(UInt64(0x01FF_FFFF_FFFF_FFFF))
    }

    /// Writes the EBML header of a Matroska document (RFC 8794, 11.2).
    mutating func writeEBMLHeader() {
        writeMaster(.ebml) { body in
            body.writeElement(.ebmlVersion, unsigned: 1)
            body.writeElement(.ebmlReadVersion, unsigned: 1)
            body.writeElement(.ebmlMaxIDLength, unsigned: 4)
            body.writeElement(.ebmlMaxSizeLength, unsigned: 8)
            body.writeElement(.docType, text: "matroska")
            body.writeElement(.docTypeVersion, unsigned: 4)
            body.writeElement(.docTypeReadVersion, unsigned: 2)
        }
    }

    /// Writes a Tag for the whole Segment.
    ///
    /// - Parameter body: Writes the SimpleTags.
    mutating func writeTag(_ body: (inout ByteBuffer) -> Void) {
        writeMaster(.tag) { tag in
            // Mandatory, and empty for "everything" (RFC 9559, 5.1.8.1.1).
            tag.write(.targets)
            tag.writeElementSize(0)
            body(&tag)
        }
    }

    /// Writes a SimpleTag with text.
    mutating func writeSimpleTag(_ name: String, _ value: String) {
        writeMaster(.simpleTag) { tag in
            tag.writeElement(.tagName, text: name)
            tag.writeElement(.tagString, text: value)
        }
    }
}

package import NIOCore

/// One EBML element as it stands in some bytes (RFC 8794), found without the package's own parser,
/// so that what this one passes over does not go unnoticed.
package struct EBMLElement: Equatable, Sendable {
    /// The id with its marker bits.
    package let id: UInt32

    /// The whole element.
    package let bytes: ByteBuffer

    /// Bytes of id and size.
    package let headLength: Int

    /// What is behind the head.
    package var data: ByteBuffer {
        bytes.getSlice(at: bytes.readerIndex + headLength, length: bytes.readableBytes - headLength)
            ?? ByteBuffer()
    }

    /// The elements inside, from front to back.
    ///
    /// - Throws: ``TestSupportError`` when the data is anything but whole elements.
    package var children: [EBMLElement] { get throws { try Self.all(in: data) } }

    /// The elements that some bytes are made of.
    ///
    /// - Throws: ``TestSupportError`` when they are anything but whole elements.
    package static func all(in bytes: ByteBuffer) throws -> [EBMLElement] {
        var elements: [EBMLElement] = []
        var offset = bytes.readerIndex
        while offset < bytes.writerIndex {
            let head = try Head(bytes, offset)
            let end = try head.end(bytes)
            guard let slice = bytes.getSlice(at: offset, length: end - offset) else {
                throw TestSupportError("an element at \(offset) reaches beyond the bytes' end")
            }
            elements.append(EBMLElement(id: head.id, bytes: slice, headLength: head.length))
            offset = end
        }
        return elements
    }

    private struct Head {
        let id: UInt32
        let length: Int
        let size: UInt64?
        let offset: Int

        init(_ bytes: ByteBuffer, _ offset: Int) throws {
            func octets(_ at: Int, _ limit: Int) throws -> [UInt8] {
                let first: UInt8 = bytes.getInteger(at: at) ?? 0
                let count = first.leadingZeroBitCount + 1
                guard count <= limit, let octets = bytes.getBytes(at: at, length: count) else {
                    throw TestSupportError("no element at \(offset): \(first)")
                }
                return octets
            }
            let id = try octets(offset, 4)
            let size = try octets(offset + id.count, 8)
            let mask = (UInt64(1) << UInt64(7 * size.count)) - 1
            let value = size.reduce(UInt64(0)) { $0 << 8 | UInt64($1) } & mask
            self.id = id.reduce(0) { $0 << 8 | UInt32($1) }
            self.size = value == mask ? nil : value
            self.offset = offset
            length = id.count + size.count
        }

        /// Where the element ends; one of unknown size at the first that cannot be inside it.
        func end(_ bytes: ByteBuffer) throws -> Int {
            if let size { return offset + length + Int(size) }
            var end = offset + length
            while end < bytes.writerIndex {
                let child = try Head(bytes, end)
                let isOutside =
                    id == MatroskaID.cluster
                    ? MatroskaID.topLevel.contains(child.id) : child.id == MatroskaID.ebml
                if isOutside { break }
                end = try child.end(bytes)
            }
            return end
        }
    }
}

/// Ids of RFC 9559 that tests look for.
package enum MatroskaID {
    package static let ebml: UInt32 = 0x1A45_DFA3
    package static let segment: UInt32 = 0x1853_8067
    package static let cluster: UInt32 = 0x1F43_B675
    package static let tags: UInt32 = 0x1254_C367
    package static let timecode: UInt32 = 0xE7
    package static let crc32: UInt32 = 0xBF
    package static let void: UInt32 = 0xEC
    package static let position: UInt32 = 0xA7
    package static let previousSize: UInt32 = 0xAB

    /// Segment, what may stand beside it and what may stand in it: SeekHead, Info, Tracks, Cues,
    /// Attachments, Chapters, Tags, Cluster.
    static let topLevel: Set<UInt32> = [
        ebml, segment, cluster, tags, 0x114D_9B74, 0x1549_A966, 0x1654_AE6B, 0x1C53_BB6B,
        0x1941_A469, 0x1043_A770,
    ]
}

/// One Matroska document: an EBML header and the Segment behind it.
package struct MatroskaDocument: Sendable {
    /// The EBML header and the Segment's id.
    package let start: ByteBuffer

    /// The Segment's size as it is written.
    package let segmentSize: ByteBuffer

    /// What is in the Segment.
    package let children: [EBMLElement]

    /// The documents that some bytes are made of.
    ///
    /// - Throws: ``TestSupportError`` when they are anything else.
    package static func all(in bytes: ByteBuffer) throws -> [MatroskaDocument] {
        var documents: [MatroskaDocument] = []
        var rest = try EBMLElement.all(in: bytes)[...]
        while let header = rest.popFirst() {
            guard header.id == MatroskaID.ebml, let segment = rest.popFirst(),
                segment.id == MatroskaID.segment
            else { throw TestSupportError("an element \(header.id) where a document begins") }
            var start = header.bytes
            var head = segment.bytes
            start.writeImmutableBuffer(head.readSlice(length: 4) ?? ByteBuffer())
            documents.append(
                MatroskaDocument(
                    start: start,
                    segmentSize: head.readSlice(length: segment.headLength - 4) ?? ByteBuffer(),
                    children: try segment.children
                )
            )
        }
        return documents
    }

    /// The children of the Segment before its first Cluster.
    package var header: ArraySlice<EBMLElement> {
        children.prefix { $0.id != MatroskaID.cluster }
    }

    /// The Clusters.
    package var clusters: [EBMLElement] { children.filter { $0.id == MatroskaID.cluster } }
}

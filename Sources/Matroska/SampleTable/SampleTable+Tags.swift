package import NIOCore

extension SampleTable {
    /// Reads the table in the first part of a stored fragment.
    ///
    /// - Parameter tags: Exactly the `Tags{KINELOG_SAMPLES}` element.
    /// - Throws: `.invalidData` when it is none, `.checksumMismatch` when it is damaged,
    ///   `.invalidTable` for a table that cannot be read.
    package init(tags: ByteBuffer) throws(MatroskaError) {
        var elements = ElementReader(tags, at: 0)
        guard let element = try elements.next(), element.id == .tags,
            element.bytes.readableBytes == tags.readableBytes,
            try element.checkLeadingChecksum()
        else { throw Self.notATable }
        var parents = [element]
        while let parent = parents.popLast() {
            var children = parent.children
            var isNamed = false
            while let child = try children.next() {
                switch child.id {
                case .tag, .simpleTag: parents.append(child)
                case .tagName: isNamed = child.text() == TagItem.samplesName
                case .tagBinary where isNamed:
                    try self.init(decoding: child.payload)
                    return
                default: break
                }
            }
        }
        throw Self.notATable
    }

    private static var notATable: MatroskaError {
        MatroskaError(
            .invalidData,
            "A Tags element with a CRC-32 and \(TagItem.samplesName) was expected, but another element was found.",
            at: 0
        )
    }
}

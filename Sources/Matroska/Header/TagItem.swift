package import NIOCore

/// One SimpleTag: a name and what it says (RFC 9559, 5.1.8.1.2).
package struct TagItem: Hashable, Sendable {
    /// TagName.
    package var name: String

    /// TagString; empty for a binary tag.
    package var value: String

    /// Whether the tag holds TagBinary instead of text.
    package var isBinary: Bool

    /// A tag of text, or the name of a binary one.
    package init(name: String, value: String, isBinary: Bool = false) {
        self.name = name
        self.value = value
        self.isBinary = isBinary
    }

    /// The tags of a run of whole Tags elements, as kept with a fragment, nested ones in the order
    /// they stand.
    ///
    /// - Throws: `.invalidData` for anything but whole, valid Tags elements.
    package static func items(in tags: ByteBuffer) throws(MatroskaError) -> [TagItem] {
        var items: [TagItem] = []
        var elements = ElementReader(tags, at: 0)
        while let element = try elements.next() {
            guard element.id == .tags else {
                throw MatroskaError(
                    .invalidData,
                    "Element \(element.id) stands among a fragment's Tags.",
                    at: element.offset
                )
            }
            items += try Self.items(of: element)
        }
        return items
    }

    /// The tags of one Tags element.
    static func items(of element: Element) throws(MatroskaError) -> [TagItem] {
        var items: [TagItem] = []
        var children = element.children
        while let tag = try children.next() {
            if tag.id == .tag { try collect(tag, depth: 0, &items) }
        }
        return items
    }

    /// How deep SimpleTags may be nested; Matroska's own tags need two levels.
    private static let depthMax = 8

    private static func collect(
        _ parent: Element,
        depth: Int,
        _ items: inout [TagItem]
    ) throws(MatroskaError) {
        guard depth <= depthMax else {
            throw MatroskaError(
                .invalidData,
                "SimpleTags are nested more than \(depthMax) deep.",
                at: parent.offset
            )
        }
        let place = items.count
        var name: String?
        var item = TagItem(name: "", value: "")
        var children = parent.children
        while let child = try children.next() {
            switch child.id {
            case .tagName where parent.id == .simpleTag: name = child.text()
            case .tagString: item.value = child.text()
            case .tagBinary: item.isBinary = true
            case .simpleTag: try collect(child, depth: depth + 1, &items)
            default: break
            }
        }
        if let name {
            item.name = name
            items.insert(item, at: place)
        }
    }
}

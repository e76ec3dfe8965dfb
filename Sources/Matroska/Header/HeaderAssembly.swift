import MediaModel
import NIOCore

/// What the bytes before the first Cluster have said so far.
struct HeaderAssembly {
    /// The header as it will be kept.
    var bytes = ByteBuffer()

    private var docType = "matroska"
    private(set) var hasInfo = false
    private(set) var hasTracks = false
    private var info = InfoElement()
    private(set) var tracks: [TrackElement] = []
    private var tags: [TagItem] = []

    /// Takes in one element: the EBML header or a child of the Segment.
    mutating func add(_ element: Element, _ limits: MatroskaLimits) throws(MatroskaError) {
        switch element.id {
        case .ebml: try readEBML(element)
        case .info:
            try element.checkLeadingChecksum()
            info = try InfoElement(element)
            hasInfo = true
        case .tracks:
            try element.checkLeadingChecksum()
            tracks = try TrackElement.tracks(of: element, limits)
            hasTracks = true
        case .tags:
            try element.checkLeadingChecksum()
            let items = try TagItem.items(of: element)
            // See MatroskaParser: the first of that name must be the first fragment's.
            if items.contains(where: { $0.name == TagItem.samplesName }) { return }
            tags += items
        default: break
        }
        bytes.writeImmutableBuffer(element.bytes)
    }

    /// The header, once it is complete.
    ///
    /// - Throws: `.invalidData` for a TimecodeScale that cannot be kept.
    func document() throws(MatroskaError) -> DocumentHeader {
        guard let timeBase = TimeBase.matroska(nanosecondsPerTick: info.timecodeScale) else {
            throw MatroskaError(
                .invalidData,
                "Info states a TimecodeScale of \(info.timecodeScale) ns; send 1000000, or another that is not zero.",
                at: info.offset
            )
        }
        return DocumentHeader(
            bytes: bytes,
            docType: docType,
            timecodeScale: info.timecodeScale,
            dateUTC: info.dateUTC,
            tracks: tracks.map { $0.track(timeBase: timeBase, timecodeScale: info.timecodeScale) },
            encodedTracks: tracks.filter(\.hasContentEncodings).map(\.track.number),
            tags: tags
        )
    }

    private mutating func readEBML(_ element: Element) throws(MatroskaError) {
        var children = element.children
        while let child = try children.next() {
            switch child.id {
            case .docType: docType = child.text()
            case .ebmlReadVersion where try child.unsigned() > 1,
                .ebmlMaxIDLength where try child.unsigned() > 4,
                .ebmlMaxSizeLength where try child.unsigned() > 8:
                throw MatroskaError(
                    .invalidData,
                    "The EBML header asks for more than EBML version 1 with ids of 4 and sizes of 8 bytes.",
                    at: child.offset
                )
            default: break
            }
        }
        guard docType == "matroska" || docType == "webm" else {
            throw MatroskaError(
                .invalidData,
                "The EBML header's DocType is '\(docType.prefix(32))'; send 'matroska' or 'webm'.",
                at: element.offset
            )
        }
    }
}

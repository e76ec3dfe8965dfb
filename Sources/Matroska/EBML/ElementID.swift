/// An EBML element id as it stands in the file, its length marker included (RFC 8794, 5).
struct ElementID: Hashable, Sendable {
    /// One to four bytes, right-aligned.
    let rawValue: UInt32

    init(_ rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// How many bytes the id takes.
    var length: Int { 4 - rawValue.leadingZeroBitCount / 8 }

    // RFC 8794, 11.2 and 11.3.
    static let ebml = ElementID(0x1A45_DFA3)
    static let ebmlVersion = ElementID(0x4286)
    static let ebmlReadVersion = ElementID(0x42F7)
    static let ebmlMaxIDLength = ElementID(0x42F2)
    static let ebmlMaxSizeLength = ElementID(0x42F3)
    static let docType = ElementID(0x4282)
    static let docTypeVersion = ElementID(0x4287)
    static let docTypeReadVersion = ElementID(0x4285)
    static let crc32 = ElementID(0xBF)
    static let void = ElementID(0xEC)

    // RFC 9559, 5.1: Segment and its children.
    static let segment = ElementID(0x1853_8067)
    static let seekHead = ElementID(0x114D_9B74)
    static let info = ElementID(0x1549_A966)
    static let tracks = ElementID(0x1654_AE6B)
    static let cluster = ElementID(0x1F43_B675)
    static let cues = ElementID(0x1C53_BB6B)
    static let attachments = ElementID(0x1941_A469)
    static let chapters = ElementID(0x1043_A770)
    static let tags = ElementID(0x1254_C367)

    // RFC 9559, 5.1.2: Info.
    static let timecodeScale = ElementID(0x2AD7B1)
    static let duration = ElementID(0x4489)
    static let dateUTC = ElementID(0x4461)
    static let title = ElementID(0x7BA9)
    static let muxingApp = ElementID(0x4D80)
    static let writingApp = ElementID(0x5741)

    // RFC 9559, 5.1.3: Cluster.
    static let timecode = ElementID(0xE7)
    static let position = ElementID(0xA7)
    static let prevSize = ElementID(0xAB)
    static let simpleBlock = ElementID(0xA3)
    static let blockGroup = ElementID(0xA0)
    static let block = ElementID(0xA1)
    static let blockDuration = ElementID(0x9B)
    static let referenceBlock = ElementID(0xFB)

    // RFC 9559, 5.1.4: Tracks.
    static let trackEntry = ElementID(0xAE)
    static let trackNumber = ElementID(0xD7)
    static let trackUID = ElementID(0x73C5)
    static let trackType = ElementID(0x83)
    static let flagLacing = ElementID(0x9C)
    static let language = ElementID(0x22B59C)
    static let defaultDuration = ElementID(0x23E383)
    static let codecID = ElementID(0x86)
    static let codecPrivate = ElementID(0x63A2)
    static let codecDelay = ElementID(0x56AA)
    static let seekPreRoll = ElementID(0x56BB)
    static let contentEncodings = ElementID(0x6D80)
    static let video = ElementID(0xE0)
    static let pixelWidth = ElementID(0xB0)
    static let pixelHeight = ElementID(0xBA)
    static let audio = ElementID(0xE1)
    static let samplingFrequency = ElementID(0xB5)
    static let channels = ElementID(0x9F)
    static let bitDepth = ElementID(0x6264)

    // RFC 9559, 5.1.8: Tags.
    static let tag = ElementID(0x7373)
    static let targets = ElementID(0x63C0)
    static let simpleTag = ElementID(0x67C8)
    static let tagName = ElementID(0x45A3)
    static let tagString = ElementID(0x4487)
    static let tagBinary = ElementID(0x4485)

    /// Whether the element is a child of Segment, so that it ends a Cluster of unknown size
    /// (RFC 8794, 6.2).
    var isLevel1: Bool {
        switch self {
        case .seekHead, .info, .tracks, .cluster, .cues, .attachments, .chapters, .tags: true
        default: false
        }
    }
}

extension ElementID: CustomStringConvertible {
    /// The id in hexadecimal, as standards write it.
    var description: String { "0x" + String(rawValue, radix: 16, uppercase: true) }
}

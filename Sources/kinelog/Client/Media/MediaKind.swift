import KinelogClient
import NIOCore

/// What the first bytes of a file say it is.
enum MediaKind: Equatable {
    case matroska
    case transportStream
    /// MP4 with its index behind the media, which can only be read by jumping about.
    case progressiveMP4
    /// Something else, which the server may know.
    case other

    /// The kind that begins with these bytes.
    init(_ first: ByteBuffer) {
        let bytes = first.readableBytesView
        if bytes.starts(with: [0x1A, 0x45, 0xDF, 0xA3]) {
            self = .matroska
        } else if bytes.first == 0x47, bytes.count <= 188 || bytes[bytes.startIndex + 188] == 0x47 {
            self = .transportStream
        } else {
            self = .other
        }
    }

    /// Looks at a file, and at where an MP4 file has its index.
    ///
    /// - Throws: ``KinelogClientError`` when it cannot be read.
    init(_ file: FileBytes) throws(KinelogClientError) {
        guard let first = try file.peek(at: 0, count: 512) else {
            self = .other
            return
        }
        self.init(first)
        if self == .other, try Self.hasIndexBehindMedia(file) { self = .progressiveMP4 }
    }

    /// Walks the boxes of an MP4 file until `moov`, `moof` or `mdat` (ISO/IEC 14496-12, 4.2).
    private static func hasIndexBehindMedia(_ file: FileBytes) throws(KinelogClientError) -> Bool {
        var offset: Int64 = 0
        for number in 0..<64 {
            guard var head = try file.peek(at: offset, count: 16),
                let size = head.readInteger(as: UInt32.self), let type = head.readString(length: 4)
            else { return false }
            if number == 0, !["ftyp", "wide", "free", "skip", "mdat"].contains(type) {
                return false
            }
            switch type {
            case "mdat": return true
            case "moov", "moof": return false
            default: break
            }
            let large = head.readInteger(as: UInt64.self)
            let length = size == 1 ? Int64(clamping: large ?? 0) : Int64(size)
            let (next, overflow) = offset.addingReportingOverflow(length)
            guard length >= 8, !overflow else { return false }
            offset = next
        }
        return false
    }
}

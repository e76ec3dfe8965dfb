package import FFmpegMedia
package import NIOCore

/// Follows the outermost structure of a body, so that an end in the middle of something is noticed,
/// and a Matroska header that is larger than allowed before it is read.
///
/// Demuxers take a file that was cut for one that ends there. Only lengths are read here and the
/// rest is skipped; what does not look like its container is left to the demuxer.
package struct ContainerWalk: Sendable {
    private enum State {
        /// The next bytes are a head; so many of it are needed at least.
        case head(Int)
        /// So many bytes are skipped.
        case skip(UInt64)
        /// The next packet of MPEG-TS begins after so many bytes.
        case packet(Int)
        /// Nothing can be said: the structure is broken, not followed, or has no end of its own.
        case unknown
    }

    private let format: InputFormat
    private let headerBytesMax: Int
    private var state: State
    private var head: [UInt8] = []
    private var byteCount: UInt64 = 0
    /// Where the Matroska document began; `nil` once its first Cluster has come.
    private var headerStart: UInt64?
    /// Where the Segment at hand ends, if it says so.
    private var segmentEnd: UInt64?

    private var hasMovie = false
    private var isFragmented = false

    /// A walk before the first byte.
    ///
    /// - Parameters:
    ///   - format: What the body is.
    ///   - headerBytesMax: Bytes that a Matroska document may have before its first Cluster.
    package init(_ format: InputFormat, headerBytesMax: Int = PushLimits().headerBytesMax) {
        self.format = format
        self.headerBytesMax = headerBytesMax
        headerStart = format == .matroska ? 0 : nil
        switch format {
        case .mp4: state = .head(8)
        case .flv: state = .head(9)
        case .matroska: state = .head(1)
        case .mpegTS: state = .packet(0)
        case .ogg, .adts: state = .unknown
        }
    }

    /// Whether the body may end here; `nil` where that cannot be told.
    package var isWhole: Bool? {
        switch state {
        case .unknown: nil
        case .head: head.isEmpty && byteCount >= segmentEnd ?? 0
        case .packet(let rest): rest == 0
        // An FLV tag's trailing length is of no use to anybody.
        case .skip(let rest): format == .flv ? rest <= 4 : false
        }
    }

    /// Whether a second file begins behind an MP4 file that is not fragmented: demuxers pass over it.
    package private(set) var startsAgain = false

    /// Takes the next bytes.
    ///
    /// - Throws: `.mediaHeaderTooLarge` as soon as that is known.
    package mutating func consume(_ bytes: ByteBuffer) throws(IngestError) {
        var bytes = bytes
        while bytes.readableBytes > 0 {
            switch state {
            case .unknown:
                byteCount += UInt64(bytes.readableBytes)
                return try checkHeader()
            case .packet(let rest): return followPackets(bytes, from: rest)
            case .skip(let rest):
                let count = Int(min(rest, UInt64(bytes.readableBytes)))
                bytes.moveReaderIndex(forwardBy: count)
                byteCount += UInt64(count)
                try checkHeader()
                state = rest == UInt64(count) ? nextHead : .skip(rest - UInt64(count))
            case .head(let needed):
                let slice = bytes.readSlice(length: min(needed - head.count, bytes.readableBytes))
                head += slice.map { Array($0.readableBytesView) } ?? []
                if head.count >= needed {
                    byteCount += UInt64(head.count)
                    readHead()
                }
            }
        }
    }

    /// The head of what follows the thing that has just ended.
    private var nextHead: State {
        switch format {
        case .mp4: .head(8)
        case .flv: .head(11)
        case .matroska: .head(1)
        case .mpegTS, .ogg, .adts: .unknown
        }
    }

    private mutating func readHead() {
        switch format {
        case .mp4: readBox()
        case .flv: readTag()
        case .matroska: readElement()
        case .mpegTS, .ogg, .adts: state = .unknown
        }
    }

    private func number(_ range: Range<Int>) -> UInt64 {
        head[range].reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// Goes on behind what the head announces.
    private mutating func skip(_ count: UInt64) {
        head = []
        state = count == 0 ? nextHead : .skip(count)
    }

    /// Asks for a longer head; its bytes are counted once it is complete.
    private mutating func needs(_ count: Int) {
        byteCount -= UInt64(head.count)
        state = .head(count)
    }

    /// A box of ISO/IEC 14496-12, 4.2.
    private mutating func readBox() {
        switch number(0..<4) {
        // To the end of the file.
        case 0: state = .unknown
        case 1 where head.count < 16: needs(16)
        case 1:
            let size = number(8..<16)
            if size < 16 { state = .unknown } else { skip(size - 16) }
        case let size where size < 8: state = .unknown
        case let size:
            switch number(4..<8) {
            // moof
            case 0x6D6F_6F66: isFragmented = true
            // moov
            case 0x6D6F_6F76:
                if hasMovie, !isFragmented { startsAgain = true }
                hasMovie = true
            default: break
            }
            skip(size - 8)
        }
    }

    /// The header of an FLV file, or a tag of it with the length that follows (FLV 10.1, E.2 to E.4).
    private mutating func readTag() {
        if byteCount == 9 {
            let offset = number(5..<9)
            guard head.starts(with: [0x46, 0x4C, 0x56]), offset >= 9 else {
                return state = .unknown
            }
            return skip(offset - 9 + 4)
        }
        skip(number(1..<4) + 4)
    }

    /// The head of an EBML element (RFC 8794, 5 and 6); Segments and Clusters of unknown size are
    /// entered.
    private mutating func readElement() {
        let idLength = (head.first?.leadingZeroBitCount ?? 8) + 1
        guard idLength <= 4 else { return giveUp() }
        guard head.count > idLength else { return needs(idLength + 1) }
        let sizeLength = head[idLength].leadingZeroBitCount + 1
        guard sizeLength <= 8 else { return giveUp() }
        guard head.count == idLength + sizeLength else { return needs(idLength + sizeLength) }
        let mask = (UInt64(1) << UInt64(7 * sizeLength)) - 1
        let stated = number(idLength..<head.count) & mask
        let size = stated == mask ? nil : stated
        switch number(0..<idLength) {
        // Segment
        case 0x1853_8067:
            segmentEnd = size.map { byteCount + $0 }
            skip(0)
        // Cluster
        case 0x1F43_B675:
            headerStart = nil
            skip(size ?? 0)
        case let id:
            // EBML: another document follows.
            if id == 0x1A45_DFA3 { headerStart = byteCount - UInt64(head.count) }
            if let size { skip(size) } else { giveUp() }
        }
    }

    /// Counts what has come, not what is announced: a damaged size is no large header.
    private func checkHeader() throws(IngestError) {
        guard let headerStart, byteCount - headerStart > UInt64(headerBytesMax) else { return }
        throw IngestError(
            .mediaHeaderTooLarge,
            "The Matroska body has more than \(headerBytesMax) bytes before its first Cluster; leave attachments out."
        )
    }

    /// Says no more about a Matroska body, but where its Segment ends.
    private mutating func giveUp() {
        guard let end = segmentEnd, end > byteCount else { return state = .unknown }
        skip(end - byteCount)
    }

    /// Packets of 188 bytes, of which only the first byte is looked at (ISO/IEC 13818-1, 2.4.3).
    ///
    /// There are thousands a second.
    private mutating func followPackets(_ bytes: ByteBuffer, from start: Int) {
        let span = bytes.readableBytesUInt8Span
        var offset = start
        while offset < span.count {
            guard span[offset] == 0x47 else { return state = .unknown }
            offset += 188
        }
        state = .packet(offset - span.count)
    }
}

import NIOCore

/// Follows the boxes of fragmented MP4 at the top level as the bytes pass by.
///
/// libavformat keeps an index entry of every sample of an MP4 for as long as it is open: about
/// 10 MiB an hour for a camera, and an error after a day and a half. The tracker knows the
/// initialisation segment and where fragments begin, so that the demuxer can be closed at one and
/// opened anew (ISO/IEC 14496-12, 8.8).
struct FragmentedMP4Tracker {
    /// `ftyp` and `moov` as they came, once the first fragment has begun.
    private(set) var initSegment = ByteBuffer()

    /// Whether what has passed so far can be left behind at the next fragment.
    private(set) var canCut = true

    private var header: [UInt8] = []
    private var bodyLeft: UInt64 = 0
    private var previous: [UInt8] = []
    private var isInitPart = false
    private var hasFragment = false

    /// Bytes of initialisation segment that are kept; a larger one rules cutting out.
    private static let initByteCountMax = 4 << 20

    /// Takes the next bytes into account.
    ///
    /// - Parameters:
    ///   - bytes: What follows the bytes before.
    ///   - isCutWanted: Whether to stop where a fragment begins. A beginning is overlooked when fewer
    ///     than its first eight bytes are there.
    /// - Returns: How many of the bytes were taken: all, or those before a fragment.
    mutating func consume(_ bytes: Span<UInt8>, isCutWanted: Bool) -> Int {
        var index = 0
        while index < bytes.count, canCut {
            if bodyLeft > 0 {
                let count = Int(min(bodyLeft, UInt64(bytes.count - index)))
                keep(bytes.extracting(index..<index + count))
                bodyLeft -= UInt64(count)
                index += count
                continue
            }
            if isCutWanted, header.isEmpty, beginsFragment(bytes, at: index) { return index }
            header.append(bytes[index])
            index += 1
            readHeader()
        }
        return bytes.count
    }

    /// Whether a box of a next fragment begins here, behind the media of the one before.
    private func beginsFragment(_ bytes: Span<UInt8>, at index: Int) -> Bool {
        guard hasFragment, previous == Self.mdat, bytes.count - index >= 8 else { return false }
        let type = (index + 4..<index + 8).map { bytes[$0] }
        return Self.fragmentStarts.contains(type)
    }

    /// Looks at the header if it is complete.
    private mutating func readHeader() {
        guard header.count >= 8 else { return }
        var size = header.prefix(4).reduce(0) { $0 << 8 | UInt64($1) }
        if size == 1 {
            guard header.count == 16 else { return }
            size = header[8...].reduce(0) { $0 << 8 | UInt64($1) }
        }
        let type = Array(header[4..<8])
        // A size of zero means to the end of the file; less than the header is damage.
        guard size >= UInt64(header.count) else {
            canCut = false
            return
        }
        if type == Self.moof { hasFragment = true }
        // Samples outside fragments would come again with the initialisation segment.
        if type == Self.mdat, !hasFragment { canCut = false }
        isInitPart = !hasFragment && (type == Self.ftyp || type == Self.moov)
        let bytes = header
        keep(bytes.span)
        bodyLeft = size - UInt64(header.count)
        previous = type
        header.removeAll(keepingCapacity: true)
    }

    private mutating func keep(_ bytes: Span<UInt8>) {
        guard isInitPart else { return }
        unsafe bytes.withUnsafeBytes { _ = unsafe initSegment.writeBytes($0) }
        if initSegment.readableBytes > Self.initByteCountMax {
            canCut = false
            initSegment = ByteBuffer()
        }
    }

    private static let ftyp = Array("ftyp".utf8)
    private static let moov = Array("moov".utf8)
    private static let moof = Array("moof".utf8)
    private static let mdat = Array("mdat".utf8)
    private static let fragmentStarts = ["moof", "styp", "sidx", "emsg", "prft"].map {
        Array($0.utf8)
    }
}

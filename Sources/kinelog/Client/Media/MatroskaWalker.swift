import NIOCore

/// Follows the structure of Matroska documents that come one after another.
///
/// Every byte comes out again, in order: a document's start and every sample begin a piece of their
/// own. Elements are followed by their sizes, never searched for, since any bytes may occur inside
/// a sample.
struct MatroskaWalker {
    /// How far an element that is needed whole may reach, in bytes.
    private static let wholeBytesMax: Int64 = 4 * 1024 * 1024

    private enum Level: Equatable {
        case top
        case segment
        /// Inside a Cluster, and where it ends if that is known.
        case cluster(end: Int64?)
    }

    private var level = Level.top
    /// Where `pending` begins in the input.
    private var position: Int64 = 0
    private var pending = ByteBuffer()
    /// Bytes of the current element's data that pass through unread.
    private var passing: Int64 = 0
    private var piece = TimedPiece(bytes: ByteBuffer())

    private var timecodeScale: UInt64 = 1_000_000
    private var clusterTimecode: Int64?
    /// Whether a sample has begun in the current Cluster.
    private var hasSample = false

    /// Takes the next bytes and gives the pieces that they complete.
    ///
    /// - Throws: ``CommandError`` when the bytes are not Matroska.
    mutating func feed(_ bytes: ByteBuffer) throws(CommandError) -> [TimedPiece] {
        if pending.readableBytes == 0 {
            pending = bytes
        } else {
            pending.discardReadBytes()
            pending.writeImmutableBuffer(bytes)
        }
        var pieces: [TimedPiece] = []
        while try step(&pieces) {}
        // What is understood goes out as it comes: a reader may be waiting for it.
        end(&pieces)
        return pieces
    }

    /// Ends the input and gives what was held back.
    ///
    /// A last element that is cut short is given out as it is.
    mutating func finish() -> [TimedPiece] {
        var pieces: [TimedPiece] = []
        keep(pending.readableBytes)
        end(&pieces)
        return pieces
    }

    private mutating func step(_ pieces: inout [TimedPiece]) throws(CommandError) -> Bool {
        if passing > 0 {
            let count = min(Int64(pending.readableBytes), passing)
            guard count > 0 else { return false }
            keep(Int(count))
            passing -= count
            return true
        }
        if case .cluster(let end?) = level, position >= end { level = .segment }
        guard let head = try ElementHead.read(pending, at: position) else { return false }
        return try take(head, &pieces)
    }

    private mutating func take(
        _ head: ElementHead,
        _ pieces: inout [TimedPiece]
    ) throws(CommandError) -> Bool {
        if head.id == ElementHead.ebml {
            end(&pieces)
            piece.startsDocument = true
            level = .top
            timecodeScale = 1_000_000
        }
        if case .cluster(nil) = level, head.isAboveCluster { level = .segment }
        if position == 0, head.id != ElementHead.ebml {
            throw CommandError("The media does not begin as Matroska does.")
        }
        switch (level, head.id) {
        case (.top, ElementHead.segment):
            keep(head.length)
            level = .segment
        case (.segment, ElementHead.cluster):
            // The header goes out before its first sample is due.
            end(&pieces)
            keep(head.length)
            clusterTimecode = nil
            hasSample = false
            level = .cluster(end: head.size.map { position + $0 })
        case (.segment, ElementHead.info): return try takeInfo(head)
        case (.cluster, ElementHead.timecode): return try takeTimecode(head)
        case (.cluster, ElementHead.simpleBlock): return takeBlock(head, &pieces)
        default: try pass(head)
        }
        return true
    }

    /// Passes over an element whose content is of no concern here.
    private mutating func pass(_ head: ElementHead) throws(CommandError) {
        guard let size = head.size else {
            throw CommandError(
                "The Matroska element at byte \(position) does not say its size; the media is damaged."
            )
        }
        keep(head.length)
        passing = size
    }

    /// The data of an element, once it is there in full.
    private func whole(_ head: ElementHead) throws(CommandError) -> ByteBuffer? {
        guard let size = head.size, size <= Self.wholeBytesMax else {
            throw CommandError(
                "The Matroska element at byte \(position) is larger than \(Self.wholeBytesMax) bytes; the media is damaged."
            )
        }
        return pending.getSlice(at: pending.readerIndex + head.length, length: Int(size))
    }

    private mutating func takeInfo(_ head: ElementHead) throws(CommandError) -> Bool {
        guard var info = try whole(head) else { return false }
        while let child = try ElementHead.read(info, at: position), let size = child.size,
            size <= Int64(info.readableBytes - child.length)
        {
            info.moveReaderIndex(forwardBy: child.length)
            guard let data = info.readSlice(length: Int(size)) else { break }
            switch child.id {
            case ElementHead.timecodeScale: timecodeScale = max(1, Self.unsigned(data))
            case ElementHead.dateUTC:
                // Nanoseconds since 2001-01-01T00:00:00Z (RFC 8794, 7.6).
                let nanoseconds = Int64(bitPattern: Self.unsigned(data))
                piece.documentMilliseconds = nanoseconds / 1_000_000 + 978_307_200_000
            default: break
            }
        }
        try pass(head)
        return true
    }

    private mutating func takeTimecode(_ head: ElementHead) throws(CommandError) -> Bool {
        guard let data = try whole(head) else { return false }
        let ticks = Self.unsigned(data)
        clusterTimecode = Int64(exactly: ticks)
        piece.dueMilliseconds = milliseconds(clusterTimecode)
        try pass(head)
        return true
    }

    /// A SimpleBlock's track number, of one or two bytes here, is followed by its offset from the
    /// Cluster's timecode (RFC 9559, 10.1).
    private mutating func takeBlock(
        _ head: ElementHead,
        _ pieces: inout [TimedPiece]
    ) -> Bool {
        let start = pending.readerIndex + head.length
        guard let first = pending.getInteger(at: start, as: UInt8.self),
            let offset = pending.getInteger(
                at: start + first.leadingZeroBitCount + 1,
                as: Int16.self
            )
        else { return false }
        let time = clusterTimecode.map { $0.addingReportingOverflow(Int64(offset)).partialValue }
        // The Cluster's own head waits for its first sample and goes out with it.
        if hasSample { end(&pieces) }
        hasSample = true
        piece.dueMilliseconds = milliseconds(time)
        keep(head.length)
        passing = max(0, head.size ?? 0)
        return true
    }

    /// Ticks of `timecodeScale` nanoseconds in milliseconds; `nil` where that cannot be said.
    private func milliseconds(_ ticks: Int64?) -> Int64? {
        guard let ticks else { return nil }
        return Int64(exactly: Int128(ticks) * Int128(timecodeScale) / 1_000_000)
    }

    private mutating func keep(_ count: Int) {
        guard let bytes = pending.readSlice(length: count) else { return }
        if piece.bytes.readableBytes == 0 {
            piece.bytes = bytes
        } else {
            piece.bytes.writeImmutableBuffer(bytes)
        }
        position += Int64(count)
    }

    private mutating func end(_ pieces: inout [TimedPiece]) {
        if piece.bytes.readableBytes > 0 { pieces.append(piece) }
        piece = TimedPiece(bytes: ByteBuffer())
    }

    /// A big-endian number of up to eight bytes.
    private static func unsigned(_ data: ByteBuffer) -> UInt64 {
        data.readableBytesView.suffix(8).reduce(0) { $0 << 8 | UInt64($1) }
    }
}

import NIOCore

/// Finds the boundaries of a Cluster's children in bytes that come piece by piece.
///
/// What is not yet known to be a whole element prefix is held back, so that what was given out ends
/// inside a child only when ``isBetweenChildren`` says so.
struct ClusterChildren: Sendable {
    /// Which blocks are left out.
    enum Dropped: Sendable {
        case none
        /// Those more than so many ticks before the Cluster's timecode.
        case before(ticks: Int)
        /// Those that hold a byte at one of the offsets, which count as in the sample table: from
        /// the first byte of the Cluster's data, ascending.
        case holding(ArraySlice<UInt64>)
    }

    private var dropped: Dropped
    /// Where in the Cluster's data the next child begins.
    private var position: UInt64

    private var held = ByteBuffer()
    /// Bytes of the current child that are still to come.
    private var remaining = 0
    private var isDropping = false

    /// Enough of a child to tell where its block lies in time.
    private static let lookAhead = 64

    /// - Parameters:
    ///   - dropped: Which blocks are left out.
    ///   - position: Where in the Cluster's data the first child begins; needed for offsets only.
    init(dropping dropped: Dropped = .none, from position: UInt64 = 0) {
        self.dropped = dropped
        self.position = position
    }

    /// Whether what was given out ends between two children.
    var isBetweenChildren: Bool { remaining == 0 || isDropping }

    /// Takes the next bytes and gives what may be sent of them.
    ///
    /// - Throws: `.damaged` when no element begins where one must.
    mutating func take(_ bytes: ByteBuffer) throws(PlaybackError) -> ByteBuffer {
        var input = held
        held = ByteBuffer()
        if input.readableBytes == 0 { input = bytes } else { input.writeImmutableBuffer(bytes) }
        if case .none = dropped { return try pass(input) }
        var output = ByteBuffer()
        while input.readableBytes > 0 {
            if remaining == 0, try !begin(&input) { break }
            let length = min(remaining, input.readableBytes)
            if let slice = input.readSlice(length: length), !isDropping {
                output.writeImmutableBuffer(slice)
            }
            remaining -= length
            if remaining == 0 { isDropping = false }
        }
        return output
    }

    /// Where all is kept nothing is copied.
    private mutating func pass(_ input: ByteBuffer) throws(PlaybackError) -> ByteBuffer {
        var rest = input
        while rest.readableBytes > 0 {
            if remaining == 0, try !begin(&rest) { break }
            let length = min(remaining, rest.readableBytes)
            rest.moveReaderIndex(forwardBy: length)
            remaining -= length
            if remaining == 0 { isDropping = false }
        }
        // What was held back is not among the readable bytes any more.
        let length = input.readableBytes - held.readableBytes
        return input.getSlice(at: input.readerIndex, length: length) ?? ByteBuffer()
    }

    /// Looks at the next child; false when its bytes have to be held back.
    private mutating func begin(_ input: inout ByteBuffer) throws(PlaybackError) -> Bool {
        switch ElementPrefix.scan(input) {
        case .needsMore:
            held = input
            input.moveReaderIndex(to: input.writerIndex)
            return false
        case .invalid:
            throw Self.noElement
        case .prefix(let prefix):
            guard let length = prefix.elementLength else { throw Self.noElement }
            switch dropped {
            case .none: break
            case .before(let ticks):
                if input.readableBytes < min(length, Self.lookAhead) {
                    held = input
                    input.moveReaderIndex(to: input.writerIndex)
                    return false
                }
                isDropping = Self.blockOffset(in: input, prefix).map { Int($0) < -ticks } ?? false
            case .holding(var offsets):
                let end = position + UInt64(length)
                isDropping = offsets.first.map { $0 < end } ?? false
                offsets = offsets.drop { $0 < end }
                dropped = .holding(offsets)
            }
            position += UInt64(length)
            remaining = length
            return true
        }
    }

    /// The relative time of a SimpleBlock, or of the Block in a BlockGroup (RFC 9559, 10.1).
    static func blockOffset(in bytes: ByteBuffer, _ prefix: ElementPrefix) -> Int16? {
        var index = prefix.length
        if prefix.id == ElementPrefix.blockGroup {
            while true {
                guard case .prefix(let child) = ElementPrefix.scan(bytes, at: index) else {
                    return nil
                }
                if child.id == ElementPrefix.block {
                    index += child.length
                    break
                }
                guard let length = child.elementLength, length < bytes.readableBytes else {
                    return nil
                }
                index += length
            }
        } else if prefix.id != ElementPrefix.simpleBlock {
            return nil
        }
        guard
            let track = bytes.getInteger(at: bytes.readerIndex + index, as: UInt8.self)
        else { return nil }
        return bytes.getInteger(
            at: bytes.readerIndex + index + track.leadingZeroBitCount + 1,
            as: Int16.self
        )
    }

    /// The relative time of the first block in a Cluster, if it is among its first bytes.
    static func firstBlockOffset(inCluster bytes: ByteBuffer) -> Int16? {
        guard case .prefix(let cluster) = ElementPrefix.scan(bytes) else { return nil }
        var rest = bytes
        rest.moveReaderIndex(forwardBy: cluster.length)
        while case .prefix(let child) = ElementPrefix.scan(rest) {
            if child.id == ElementPrefix.simpleBlock || child.id == ElementPrefix.blockGroup {
                return blockOffset(in: rest, child)
            }
            guard let length = child.elementLength, length <= rest.readableBytes else { return nil }
            rest.moveReaderIndex(forwardBy: length)
        }
        return nil
    }

    private static let noElement = PlaybackError(
        .damaged,
        "The bytes of an arriving Cluster do not begin with an element where one must begin."
    )
}

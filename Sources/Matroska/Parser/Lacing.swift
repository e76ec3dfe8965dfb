/// How several frames share one block (RFC 9559, 10.3).
enum Lacing {
    case xiph
    case fixed
    case ebml

    /// Why a lace cannot be taken apart; `found` continues a sentence about the block.
    struct Malformed: Error {
        let found: String
    }

    /// The lacing that a block's flags name; `nil` for none.
    init?(flags: UInt8) {
        switch flags & 0x06 {
        case 0x02: self = .xiph
        case 0x04: self = .fixed
        case 0x06: self = .ebml
        default: return nil
        }
    }

    /// The length of each frame, whose sum is what is left of the block.
    ///
    /// - Parameters:
    ///   - bytes: The whole element.
    ///   - index: The first byte after the block's flags; moved to the first frame.
    ///   - limit: The first byte after the block.
    /// - Returns: 1 to 256 lengths.
    /// - Throws: ``Malformed`` when the lengths do not fit the block.
    func frameLengths(
        _ bytes: Span<UInt8>,
        _ index: inout Int,
        _ limit: Int
    ) throws(Malformed) -> [Int] {
        guard index < limit else { throw Malformed(found: "lacks its number of laced frames") }
        let count = Int(bytes[index]) + 1
        index += 1
        switch self {
        case .fixed:
            let total = limit - index
            // Empty frames would make hundreds of samples of a handful of bytes.
            guard total > 0 || count == 1, total % count == 0 else {
                throw Malformed(found: "has \(total) bytes for \(count) laced frames of one size")
            }
            return Array(repeating: total / count, count: count)
        case .xiph:
            var lengths: [Int] = []
            for _ in 1..<count { lengths.append(try Self.xiphLength(bytes, &index, limit)) }
            return try Self.closed(lengths, index, limit)
        case .ebml:
            var lengths: [Int] = []
            if count > 1 { lengths.append(try Self.vint(bytes, &index, limit).value) }
            while lengths.count < count - 1 {
                let (value, width) = try Self.vint(bytes, &index, limit)
                let difference = value - ((1 << (7 * width - 1)) - 1)
                let length = (lengths.last ?? 0) + difference
                guard length >= 0, length <= limit - index else {
                    throw Malformed(found: "has a laced frame of \(length) bytes")
                }
                lengths.append(length)
            }
            return try Self.closed(lengths, index, limit)
        }
    }

    /// Adds the last frame, which takes what the others leave.
    private static func closed(
        _ lengths: [Int],
        _ index: Int,
        _ limit: Int
    ) throws(Malformed) -> [Int] {
        var rest = limit - index
        for length in lengths {
            guard length <= rest else {
                throw Malformed(found: "has laced frames that reach beyond it")
            }
            rest -= length
        }
        return lengths + [rest]
    }

    private static func xiphLength(
        _ bytes: Span<UInt8>,
        _ index: inout Int,
        _ limit: Int
    ) throws(Malformed) -> Int {
        var length = 0
        while index < limit {
            let byte = bytes[index]
            index += 1
            length += Int(byte)
            if byte < 255 { return length }
        }
        throw Malformed(found: "ends within its frame sizes")
    }

    private static func vint(
        _ bytes: Span<UInt8>,
        _ index: inout Int,
        _ limit: Int
    ) throws(Malformed) -> (value: Int, width: Int) {
        guard index < limit else { throw Malformed(found: "ends within its frame sizes") }
        let width = bytes[index].leadingZeroBitCount + 1
        guard width <= 8, width <= limit - index else {
            throw Malformed(found: "ends within its frame sizes")
        }
        var value = 0
        for place in index..<index + width { value = value << 8 | Int(bytes[place]) }
        let mask = (1 << (7 * width)) - 1
        value &= mask
        guard value != mask else { throw Malformed(found: "has a laced frame of unknown size") }
        index += width
        return (value, width)
    }
}

import NIOCore

/// Elements put together byte by byte, independently of the code under test.
typealias Bytes = [UInt8]

/// An id, as many bytes as it has.
func id(_ id: UInt32) -> Bytes {
    let all = [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: id >> UInt32($0)) }
    return Array(all.drop { $0 == 0 })
}

/// An element with the shortest size, or one of a given width.
func element(_ elementID: UInt32, _ data: Bytes, sizeWidth: Int? = nil) -> Bytes {
    id(elementID) + size(data.count, width: sizeWidth) + data
}

/// A size field.
func size(_ value: Int, width: Int? = nil) -> Bytes {
    var needed = 1
    while value >= (1 << (7 * needed)) - 1 { needed += 1 }
    let count = width ?? needed
    let marked = UInt64(value) | 1 << UInt64(7 * count)
    return (0..<count).reversed().map { UInt8(truncatingIfNeeded: marked >> UInt64(8 * $0)) }
}

/// An unsigned integer element of a given width.
func uint(_ elementID: UInt32, _ value: UInt64, width: Int = 1) -> Bytes {
    let data = (0..<width).reversed().map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) }
    return element(elementID, data)
}

/// A text element.
func text(_ elementID: UInt32, _ value: String) -> Bytes {
    element(elementID, Array(value.utf8))
}

/// The data of a SimpleBlock or Block.
func blockData(
    track: UInt8 = 1,
    offset: Int16 = 0,
    flags: UInt8 = 0x80,
    _ payload: Bytes
) -> Bytes {
    let bits = UInt16(bitPattern: offset)
    return [track | 0x80, UInt8(bits >> 8), UInt8(bits & 0xFF), flags] + payload
}

func simpleBlock(
    track: UInt8 = 1,
    offset: Int16 = 0,
    flags: UInt8 = 0x80,
    _ payload: Bytes
) -> Bytes {
    element(0xA3, blockData(track: track, offset: offset, flags: flags, payload))
}

func blockGroup(_ children: Bytes) -> Bytes { element(0xA0, children) }

func timecode(_ value: UInt64) -> Bytes { uint(0xE7, value, width: 8) }

func cluster(_ children: Bytes) -> Bytes { element(0x1F43_B675, children) }

/// A Cluster of unknown size.
func openCluster(_ children: Bytes) -> Bytes { id(0x1F43_B675) + [0xFF] + children }

func simpleTag(_ name: String, _ value: String) -> Bytes {
    element(0x67C8, text(0x45A3, name) + text(0x4487, value))
}

func tags(_ simpleTags: Bytes) -> Bytes { element(0x1254_C367, element(0x7373, simpleTags)) }

func crcElement(_ bytes: Bytes) -> Bytes {
    // Bit by bit, so that zlib is compared with something.
    var crc: UInt32 = 0xFFFF_FFFF
    for byte in bytes {
        crc ^= UInt32(byte)
        for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
    }
    crc = ~crc
    return [0xBF, 0x84] + (0..<4).map { UInt8(truncatingIfNeeded: crc >> UInt32(8 * $0)) }
}

let ebmlHeader = element(0x1A45_DFA3, uint(0x4286, 1) + text(0x4282, "matroska"))

let openSegment = id(0x1853_8067) + [0xFF]

func info(scale: UInt64? = 1_000_000) -> Bytes {
    element(0x1549_A966, (scale.map { uint(0x2AD7B1, $0, width: 8) } ?? []) + text(0x4D80, "test"))
}

func trackEntry(
    number: UInt64 = 1,
    type: UInt64 = 1,
    codec: String = "V_MPEG4/ISO/AVC",
    _ more: Bytes = []
) -> Bytes {
    element(
        0xAE,
        uint(0xD7, number) + uint(0x73C5, number) + uint(0x83, type) + text(0x86, codec) + more
    )
}

func tracks(_ entries: Bytes) -> Bytes { element(0x1654_AE6B, entries) }

/// A header as short as it can be, with one video and one audio track.
let shortHeader =
    ebmlHeader + openSegment + info()
    + tracks(trackEntry() + trackEntry(number: 2, type: 2, codec: "A_AAC"))

extension Array where Element == UInt8 {
    /// The bytes as the code under test takes them.
    var buffer: ByteBuffer { ByteBuffer(bytes: self) }

    /// Bytes written as hexadecimal with any spacing.
    init(hex: String) {
        let digits = hex.compactMap(\.hexDigitValue)
        self = stride(from: 0, to: digits.count - 1, by: 2).map {
            UInt8(digits[$0] << 4 | digits[$0 + 1])
        }
    }
}

extension ByteBuffer {
    var array: Bytes { Array(readableBytesView) }
}

/// Random numbers that are the same in every run.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}

/// Writes what PutMedia producers send, byte by byte as the C producer SDK does (KVS 2.3, 12).
package enum ProducerBytes {
    /// An element's id in as many bytes as it has.
    package static func id(_ id: UInt32) -> [UInt8] {
        let bytes = [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: id >> $0) }
        return Array(bytes.drop { $0 == 0 })
    }

    /// An element with a size field of eight bytes.
    package static func element(_ id: UInt32, _ data: [UInt8]) -> [UInt8] {
        let size = UInt64(data.count) | 0x0100_0000_0000_0000
        return Self.id(id) + big(size) + data
    }

    /// An element with a number of eight bytes.
    package static func unsigned(_ id: UInt32, _ value: UInt64) -> [UInt8] {
        element(id, big(value))
    }

    /// An element with a text.
    package static func text(_ id: UInt32, _ text: String) -> [UInt8] {
        element(id, Array(text.utf8))
    }

    /// Eight bytes, the highest first.
    package static func big(_ value: UInt64) -> [UInt8] {
        stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: value >> UInt64($0)) }
    }

    /// The EBML header.
    package static let ebml = element(0x1A45_DFA3, text(0x4282, "matroska") + unsigned(0x4287, 2))

    /// A TrackEntry.
    package static func track(
        _ number: UInt8,
        type: UInt8,
        codec: String,
        codecPrivate: [UInt8] = []
    )
        -> [UInt8]
    {
        element(
            0xAE,
            unsigned(0xD7, UInt64(number)) + unsigned(0x73C5, UInt64(number))
                + unsigned(0x83, UInt64(type)) + text(0x86, codec)
                + (codecPrivate.isEmpty ? [] : element(0x63A2, codecPrivate))
        )
    }

    /// A video track with the number 1.
    package static let video = track(1, type: 1, codec: "V_MPEG4/ISO/AVC")
    /// A sound track with the number 2.
    package static let audio = track(2, type: 2, codec: "A_AAC", codecPrivate: [0x11, 0x90])

    /// EBML header, Segment of unknown size, Info, Tracks.
    package static func header(
        _ tracks: [[UInt8]] = [video, audio],
        scale: UInt64 = 1_000_000,
        more: [UInt8] = []
    ) -> [UInt8] {
        ebml + id(0x1853_8067) + [0xFF] + element(0x1549_A966, unsigned(0x2AD7B1, scale))
            + element(0x1654_AE6B, tracks.flatMap { $0 }) + more
    }

    /// A Cluster of unknown size up to its first block.
    package static func cluster(_ timecode: UInt64) -> [UInt8] {
        id(0x1F43_B675) + [0xFF] + unsigned(0xE7, timecode) + [0xA7, 0x81, 0x00]
    }

    /// A Cluster of known size.
    package static func knownCluster(_ timecode: UInt64, _ blocks: [[UInt8]]) -> [UInt8] {
        element(0x1F43_B675, unsigned(0xE7, timecode) + blocks.flatMap { $0 })
    }

    /// A SimpleBlock whose payload is one byte again and again.
    package static func block(_ track: UInt8, _ offset: Int16, key: Bool, size: Int = 20) -> [UInt8]
    {
        let bits = UInt16(bitPattern: offset)
        return element(
            0xA3,
            [0x80 | track, UInt8(bits >> 8), UInt8(bits & 0xFF), key ? 0x80 : 0]
                + [UInt8](repeating: track &+ UInt8(truncatingIfNeeded: offset), count: size)
        )
    }

    /// A Tags element with a Tag of these names and values.
    package static func tags(_ items: [(String, String)]) -> [UInt8] {
        element(0x1254_C367, element(0x7373, items.flatMap { simpleTag($0.0, $0.1) }))
    }

    /// One SimpleTag.
    package static func simpleTag(_ name: String, _ value: String) -> [UInt8] {
        element(0x67C8, text(0x45A3, name) + text(0x4487, value))
    }

    /// The marker that a fragment is complete.
    package static let endOfFragment = tags([("AWS_KINESISVIDEO_END_OF_FRAGMENT", "")])

    /// A Cluster with a key frame, pictures every 40 ms and sound every 20 ms.
    package static func media(_ timecode: UInt64, ms: Int16 = 1000) -> [UInt8] {
        var bytes = cluster(timecode)
        for offset in stride(from: Int16(0), to: ms, by: 20) {
            if offset % 40 == 0 { bytes += block(1, offset, key: offset == 0) }
            bytes += block(2, offset, key: false)
        }
        return bytes
    }
}

package import NIOCore

/// Writes an MPEG transport stream with one private stream, which no ffmpeg command line makes
/// (ISO/IEC 13818-1, 2.4).
package struct TransportStream {
    /// What has been written so far.
    package private(set) var bytes = ByteBuffer()
    private var counters: [UInt16: UInt8] = [:]

    private static let programPID: UInt16 = 0x100
    private static let dataPID: UInt16 = 0x101

    /// A stream with its tables: one program of one stream of type 6 (private data in PES packets)
    /// with a registration descriptor.
    package init(registration: String) {
        section(
            pid: 0,
            table: 0,
            id: 1,
            [0, 1, 0xE0 | UInt8(Self.programPID >> 8), UInt8(Self.programPID & 0xFF)]
        )
        let clock: [UInt8] = [0xE0 | UInt8(Self.dataPID >> 8), UInt8(Self.dataPID & 0xFF)]
        let descriptor: [UInt8] = [0x05, 4] + Array(registration.utf8)
        let stream = [0x06] + clock + [0xF0, UInt8(descriptor.count)] + descriptor
        section(pid: Self.programPID, table: 2, id: 1, clock + [0xF0, 0] + stream)
    }

    /// Appends a PES packet of at most 150 bytes, with a PTS or without (2.4.3.6).
    package mutating func packet(pts: Int64?, _ payload: [UInt8]) {
        let time: [UInt8] =
            pts.map { pts in
                [
                    0x21 | UInt8(pts >> 29 & 0x0E), UInt8(pts >> 22 & 0xFF),
                    1 | UInt8(pts >> 14 & 0xFE), UInt8(pts >> 7 & 0xFF), 1 | UInt8(pts << 1 & 0xFE),
                ]
            } ?? []
        let length = UInt8(3 + time.count + payload.count)
        let flags: UInt8 = pts == nil ? 0 : 0x80
        let header: [UInt8] = [0, 0, 1, 0xBD, 0, length, 0x84, flags, UInt8(time.count)]
        packet(pid: Self.dataPID, header + time + payload)
    }

    private mutating func section(pid: UInt16, table: UInt8, id: UInt16, _ body: [UInt8]) {
        let length = body.count + 9
        var section: [UInt8] = [
            table, 0xB0 | UInt8(length >> 8), UInt8(length & 0xFF), UInt8(id >> 8),
            UInt8(id & 0xFF), 0xC1, 0, 0,
        ]
        section += body
        var check: UInt32 = .max
        for byte in section {
            check ^= UInt32(byte) << 24
            for _ in 0..<8 {
                check = check & 0x8000_0000 != 0 ? check << 1 ^ 0x04C1_1DB7 : check << 1
            }
        }
        section += (0..<4).map { UInt8(truncatingIfNeeded: check >> (24 - 8 * UInt32($0))) }
        packet(pid: pid, [0] + section)
    }

    /// One transport packet, filled up by an adaptation field.
    private mutating func packet(pid: UInt16, _ payload: [UInt8]) {
        let counter = counters[pid, default: 0]
        counters[pid] = (counter + 1) & 0x0F
        precondition(payload.count <= 182)
        let stuffing = 184 - payload.count
        bytes.writeBytes([0x47, 0x40 | UInt8(pid >> 8), UInt8(pid & 0xFF), 0x30 | counter])
        bytes.writeBytes([UInt8(stuffing - 1), 0])
        bytes.writeRepeatingByte(0xFF, count: stuffing - 2)
        bytes.writeBytes(payload)
    }
}

import Matroska
import MediaModel
import NIOCore

/// The bytes of an `.idx` file: one header, then one record per fragment, all 128 bytes long and
/// little-endian.
///
/// Header:
///
/// | offset | size | field |
/// |---|---|---|
/// | 0 | 8 | magic `KINELIDX` |
/// | 8 | 4 | version, 1 |
/// | 12 | 4 | length of the `.mkv` header in bytes |
/// | 16 | 8 | stream id |
/// | 24 | 8 | ordinal of the first fragment |
/// | 32 | 8, 8, 4 | first fragment number: sequence, server milliseconds, random |
/// | 52 | 4 | CRC-32 of the `.mkv` header |
/// | 56 | 1 | kind of header: 0 own, 1 PutMedia, 2 PutMedia RELATIVE |
/// | 57 | 7 | zero |
/// | 64 | 8 | session of a RELATIVE header, else zero |
/// | 72 | 52 | zero |
/// | 124 | 4 | CRC-32 of the 124 bytes before |
///
/// Record:
///
/// | offset | size | field |
/// |---|---|---|
/// | 0 | 8, 8, 4 | fragment number: sequence, server milliseconds, random |
/// | 20 | 4 | flags |
/// | 24 | 8 | ordinal |
/// | 32 | 8 | producer timestamp, ms since 1970, signed |
/// | 40 | 8 | server timestamp, ms since 1970, signed |
/// | 48 | 8 | offset of the fragment in the `.mkv` |
/// | 56 | 8 | Cluster length |
/// | 64 | 8 | session |
/// | 72 | 8 | media time, ms, signed |
/// | 80 | 4 | duration, ms |
/// | 84 | 4 | `Tags{KINELOG_SAMPLES}` length |
/// | 88 | 4 | server tags length |
/// | 92 | 4 | length of tags sent before |
/// | 96 | 4 | length of tags sent after |
/// | 100 | 4 | samples |
/// | 104 | 4 | clock error, ms |
/// | 108 | 1 | clock source |
/// | 109 | 3 | zero |
/// | 112 | 4 | how far this and earlier fragments reach past the producer timestamp, ms |
/// | 116 | 4 | the same past the server timestamp, ms |
/// | 120 | 4 | fragmentCRC: CRC-32 of the whole stored fragment |
/// | 124 | 4 | recordCRC: CRC-32 of the 124 bytes before |
enum IndexFile {
    /// Length of the header and of each record.
    static let recordLength = 128

    private static let magic: StaticString = "KINELIDX"
    private static let version: UInt32 = 1

    /// No log segment reaches this length, in bytes.
    private static let lengthMax: UInt64 = 1 << 56

    /// What the header says.
    struct Header: Equatable {
        var segment: SegmentID
        var firstOrdinal: UInt64
        var headerLength: UInt32
        var headerCRC: UInt32
        var kind: SegmentKind

        var bytes: ByteBuffer {
            var buffer = ByteBuffer()
            buffer.reserveCapacity(recordLength)
            buffer.writeStaticString(magic)
            buffer.writeInteger(version, endianness: .little)
            buffer.writeInteger(headerLength, endianness: .little)
            buffer.writeInteger(segment.stream.rawValue, endianness: .little)
            buffer.writeInteger(firstOrdinal, endianness: .little)
            buffer.write(segment.first)
            buffer.writeInteger(headerCRC, endianness: .little)
            buffer.writeInteger(kind.storedValue)
            buffer.writeRepeatingByte(0, count: 7)
            if case .putMediaRelative(let session) = kind {
                buffer.writeInteger(session, endianness: .little)
            } else {
                buffer.writeInteger(UInt64(0))
            }
            buffer.writeRepeatingByte(0, count: 52)
            buffer.writeInteger(CRC32.of(buffer), endianness: .little)
            return buffer
        }

        /// Reads a header; `nil` when it is not one or its CRC does not match.
        init?(_ bytes: ByteBuffer) {
            guard var fields = IndexFile.checked(bytes), fields.readString(length: 8) == "KINELIDX",
                fields.readInteger(endianness: .little, as: UInt32.self) == version,
                let length = fields.readInteger(endianness: .little, as: UInt32.self),
                let stream = fields.readInteger(endianness: .little, as: UInt64.self),
                let ordinal = fields.readInteger(endianness: .little, as: UInt64.self),
                let first = fields.readFragmentNumber(),
                let crc = fields.readInteger(endianness: .little, as: UInt32.self),
                let kind = fields.readInteger(as: UInt8.self), fields.readSlice(length: 7) != nil,
                let session = fields.readInteger(endianness: .little, as: UInt64.self)
            else { return nil }
            switch kind {
            case 0: self.kind = .own
            case 1: self.kind = .putMedia
            case 2: self.kind = .putMediaRelative(session: session)
            default: return nil
            }
            segment = SegmentID(stream: StreamID(rawValue: stream), first: first)
            firstOrdinal = ordinal
            headerLength = length
            headerCRC = crc
        }

        init(
            segment: SegmentID,
            firstOrdinal: UInt64,
            header: SegmentHeader
        ) {
            self.segment = segment
            self.firstOrdinal = firstOrdinal
            headerLength = UInt32(header.bytes.readableBytes)
            headerCRC = CRC32.of(header.bytes)
            kind = header.kind
        }
    }

    /// Appends the bytes of a record.
    static func write(_ record: FragmentRecord, to buffer: inout ByteBuffer) {
        var fields = ByteBuffer()
        fields.reserveCapacity(recordLength)
        fields.write(record.number)
        fields.writeInteger(record.flags.rawValue, endianness: .little)
        fields.writeInteger(record.ordinal, endianness: .little)
        fields.writeInteger(record.producer.milliseconds, endianness: .little)
        fields.writeInteger(record.server.milliseconds, endianness: .little)
        fields.writeInteger(record.offset, endianness: .little)
        fields.writeInteger(record.clusterLength, endianness: .little)
        fields.writeInteger(record.session, endianness: .little)
        fields.writeInteger(record.mediaTimeMilliseconds, endianness: .little)
        fields.writeInteger(record.durationMilliseconds, endianness: .little)
        fields.writeInteger(record.samplesLength, endianness: .little)
        fields.writeInteger(record.serverTagsLength, endianness: .little)
        fields.writeInteger(record.tagsBeforeLength, endianness: .little)
        fields.writeInteger(record.tagsAfterLength, endianness: .little)
        fields.writeInteger(record.sampleCount, endianness: .little)
        fields.writeInteger(record.clockErrorMilliseconds, endianness: .little)
        fields.writeInteger(record.clockSource.rawValue)
        fields.writeRepeatingByte(0, count: 3)
        fields.writeInteger(record.producerReachMilliseconds, endianness: .little)
        fields.writeInteger(record.serverReachMilliseconds, endianness: .little)
        fields.writeInteger(record.fragmentCRC, endianness: .little)
        fields.writeInteger(CRC32.of(fields), endianness: .little)
        buffer.writeBuffer(&fields)
    }

    /// Reads a record of a segment; `nil` when it is torn or its CRC does not match.
    static func record(_ bytes: ByteBuffer, of segment: SegmentID) -> FragmentRecord? {
        guard var fields = checked(bytes), let number = fields.readFragmentNumber(),
            let flags = fields.readInteger(endianness: .little, as: UInt32.self),
            let ordinal = fields.readInteger(endianness: .little, as: UInt64.self),
            let producer = fields.readInteger(endianness: .little, as: Int64.self),
            let server = fields.readInteger(endianness: .little, as: Int64.self),
            let offset = fields.readInteger(endianness: .little, as: UInt64.self),
            let cluster = fields.readInteger(endianness: .little, as: UInt64.self),
            let session = fields.readInteger(endianness: .little, as: UInt64.self),
            let mediaTime = fields.readInteger(endianness: .little, as: Int64.self),
            let duration = fields.readInteger(endianness: .little, as: UInt32.self),
            let samples = fields.readInteger(endianness: .little, as: UInt32.self),
            let serverTags = fields.readInteger(endianness: .little, as: UInt32.self),
            let before = fields.readInteger(endianness: .little, as: UInt32.self),
            let after = fields.readInteger(endianness: .little, as: UInt32.self),
            let count = fields.readInteger(endianness: .little, as: UInt32.self),
            let error = fields.readInteger(endianness: .little, as: UInt32.self),
            let source = fields.readInteger(as: UInt8.self).flatMap(ClockSource.init(rawValue:)),
            fields.readSlice(length: 3) != nil,
            let producerReach = fields.readInteger(endianness: .little, as: UInt32.self),
            let serverReach = fields.readInteger(endianness: .little, as: UInt32.self),
            let crc = fields.readInteger(endianness: .little, as: UInt32.self),
            // So that no sum of them overflows.
            offset <= lengthMax, cluster <= lengthMax
        else { return nil }
        var record = FragmentRecord(
            number: number,
            ordinal: ordinal,
            producer: Timestamp(milliseconds: producer),
            server: Timestamp(milliseconds: server),
            durationMilliseconds: duration,
            sampleCount: count,
            session: session,
            mediaTimeMilliseconds: mediaTime,
            clockSource: source,
            clockErrorMilliseconds: error,
            flags: FragmentFlags(rawValue: flags),
            segment: segment,
            offset: offset,
            samplesLength: samples,
            serverTagsLength: serverTags,
            tagsBeforeLength: before,
            clusterLength: cluster,
            tagsAfterLength: after,
            fragmentCRC: crc
        )
        record.producerReachMilliseconds = producerReach
        record.serverReachMilliseconds = serverReach
        return record
    }

    /// The bytes when they are 128 long and end in the CRC-32 of those before.
    private static func checked(_ bytes: ByteBuffer) -> ByteBuffer? {
        guard bytes.readableBytes == recordLength,
            let body = bytes.getSlice(at: bytes.readerIndex, length: recordLength - 4),
            let crc = bytes.getInteger(
                at: bytes.readerIndex + recordLength - 4,
                endianness: .little,
                as: UInt32.self
            ),
            CRC32.of(body) == crc
        else { return nil }
        return bytes
    }
}

extension ByteBuffer {
    fileprivate mutating func write(_ number: FragmentNumber) {
        writeInteger(number.sequence, endianness: .little)
        writeInteger(number.serverMilliseconds, endianness: .little)
        writeInteger(number.random, endianness: .little)
    }

    fileprivate mutating func readFragmentNumber() -> FragmentNumber? {
        guard let sequence = readInteger(endianness: .little, as: UInt64.self),
            let milliseconds = readInteger(endianness: .little, as: UInt64.self),
            let random = readInteger(endianness: .little, as: UInt32.self)
        else { return nil }
        return FragmentNumber(
            sequence: sequence,
            serverMilliseconds: milliseconds,
            random: random
        )
    }
}

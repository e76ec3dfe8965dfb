import Matroska
import MediaModel
import NIOCore

/// Small stored fragments.
enum StoredSample {
    static let header = DocumentHeaderWriter.encode([
        Track(number: 1, kind: .video, codecID: "V_MPEG4/ISO/AVC", timeBase: .milliseconds)
    ]).array

    static func number(_ sequence: UInt64) -> FragmentNumber {
        FragmentNumber(sequence: sequence, serverMilliseconds: 1_795_255_200_000, random: 3)
    }

    static func children(_ sequence: UInt64) -> Bytes {
        timecode(1000 * sequence) + simpleBlock([1, 2, 3]) + simpleBlock(offset: 40, flags: 0, [4])
    }

    static func table(_ sequence: UInt64) -> SampleTable {
        SampleTable(
            ordinal: sequence,
            session: 1,
            producerTimestamp: Timestamp(milliseconds: 1_795_255_199_000),
            serverTimestamp: Timestamp(milliseconds: 1_795_255_200_000),
            durationMilliseconds: 80,
            clockSource: .absolute,
            tracks: [SampleTrack(number: 1, timeBase: .milliseconds, codecSet: 5)],
            samples: [
                SampleEntry(track: 1, offset: 22, size: 3, dts: 0, pts: 0, isSync: true),
                SampleEntry(track: 1, offset: 31, size: 1, dts: 40, pts: 40, isSync: false),
            ]
        )
    }

    /// The frame of a fragment with one Tags element before it and two after.
    static func frame(_ sequence: UInt64, hasTags: Bool = true) throws -> StoredFragmentFrame {
        let children = children(sequence)
        return try StoredFragmentFrame(
            number: number(sequence),
            table: table(sequence),
            tagsBefore: hasTags ? tags(simpleTag("a", "b")).buffer : ByteBuffer(),
            childrenLength: children.count,
            childrenCRC: CRC32.of(children.buffer),
            tagsAfter: hasTags
                ? (tags(simpleTag("c", "d")) + tags(simpleTag("e", "f"))).buffer : ByteBuffer()
        )
    }

    static func bytes(_ sequence: UInt64, hasTags: Bool = true) throws -> Bytes {
        let frame = try frame(sequence, hasTags: hasTags)
        return frame.head.array + children(sequence) + frame.tail.array
    }
}

/// A log segment in memory, read as a file is.
struct SegmentBytes {
    let bytes: Bytes

    func read(_ offset: Int64, _ length: Int) -> ByteBuffer {
        guard offset < bytes.count else { return ByteBuffer() }
        return Bytes(bytes[Int(offset)..<min(bytes.count, Int(offset) + length)]).buffer
    }
}

@testable import FragmentLog
import LogTestSupport
import MediaModel
import NIOCore
import TestSupport
import Testing

/// The bytes of `.idx`, which must never change.
@Suite struct IndexFileTests {
    private let segment = SegmentID(
        stream: StreamID(rawValue: 0x0123_4567_89AB_CDEF),
        first: FragmentNumber(sequence: 5, serverMilliseconds: 1_795_255_200_000, random: 0xABCDEF)
    )

    private var record: FragmentRecord {
        var record = FragmentRecord(
            number: FragmentNumber(
                sequence: 6,
                serverMilliseconds: 1_795_255_201_234,
                random: 0x0FED_CBA9
            ),
            ordinal: 17,
            producer: Timestamp(milliseconds: -5),
            server: Timestamp(milliseconds: 1_795_255_201_234),
            durationMilliseconds: 2000,
            sampleCount: 61,
            session: 9,
            mediaTimeMilliseconds: -40,
            clockSource: .arrival,
            clockErrorMilliseconds: 250,
            flags: [.discontinuity, .tags],
            segment: segment,
            offset: 0x1_0000_0001,
            samplesLength: 300,
            serverTagsLength: 301,
            tagsBeforeLength: 302,
            clusterLength: 0x2_0000_0003,
            tagsAfterLength: 303,
            fragmentCRC: 0xDEAD_BEEF
        )
        record.producerReachMilliseconds = 2500
        record.serverReachMilliseconds = 2000
        return record
    }

    @Test func `the header has its golden bytes`() throws {
        let header = IndexFile.Header(
            segment: segment,
            firstOrdinal: 3,
            header: SegmentHeader(
                bytes: ByteBuffer(string: "header"),
                kind: .putMediaRelative(session: 7)
            )
        )
        let golden = ByteBuffer(bytes: [UInt8](hex: Self.goldenHeader))
        #expect(header.bytes == golden, "\(header.bytes.hexDump(format: .plain(maxBytes: 200)))")
        #expect(IndexFile.Header(golden) == header)
    }

    private static let goldenHeader = """
        4b494e454c4944580100000006000000efcdab89674523010300000000000000
        050000000000000000698cfda1010000efcdab00c1a8726e0200000000000000
        0700000000000000000000000000000000000000000000000000000000000000
        00000000000000000000000000000000000000000000000000000000c885ec88
        """

    @Test func `a record has its golden bytes`() {
        var bytes = ByteBuffer()
        IndexFile.write(record, to: &bytes)
        let golden = ByteBuffer(bytes: [UInt8](hex: Self.goldenRecord))
        #expect(bytes == golden, "\(bytes.hexDump(format: .plain(maxBytes: 200)))")
        #expect(IndexFile.record(golden, of: segment) == record)
    }

    private static let goldenRecord = """
        0600000000000000d26d8cfda1010000a9cbed0f110000001100000000000000
        fbffffffffffffffd26d8cfda101000001000000010000000300000002000000
        0900000000000000d8ffffffffffffffd00700002c0100002d0100002e010000
        2f0100003d000000fa00000003000000c4090000d0070000efbeadde35af1bd7
        """

    @Test func `a changed bit anywhere in a header or a record is found`() {
        let header = IndexFile.Header(
            segment: segment,
            firstOrdinal: 3,
            header: SegmentHeader(bytes: ByteBuffer(string: "header"), kind: .own)
        ).bytes
        var body = ByteBuffer()
        IndexFile.write(record, to: &body)
        for offset in 0..<IndexFile.recordLength {
            for bit in 0..<8 {
                var bad = header
                bad.setInteger(
                    (bad.getInteger(at: offset, as: UInt8.self) ?? 0) ^ 1 << bit,
                    at: offset
                )
                #expect(IndexFile.Header(bad) == nil)
                bad = body
                bad.setInteger(
                    (bad.getInteger(at: offset, as: UInt8.self) ?? 0) ^ 1 << bit,
                    at: offset
                )
                #expect(IndexFile.record(bad, of: segment) == nil)
            }
        }
    }

    @Test func `a cut anywhere is no record`() {
        var body = ByteBuffer()
        IndexFile.write(record, to: &body)
        for length in 0..<IndexFile.recordLength {
            let cut = body.getSlice(at: 0, length: length) ?? ByteBuffer()
            #expect(IndexFile.record(cut, of: segment) == nil)
            #expect(IndexFile.Header(cut) == nil)
        }
    }
}

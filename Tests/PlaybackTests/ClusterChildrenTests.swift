import FragmentLog
import Matroska
import MediaModel
import NIOCore
@testable import Playback
import Testing

@Suite struct ClusterChildrenTests {
    /// Three blocks, the second 10 ms before the Cluster's timecode and in a BlockGroup.
    private func children() -> [ByteBuffer] {
        func block(_ offset: Int16, _ length: Int) -> ByteBuffer {
            var bytes = ClusterWriter.simpleBlockHead(
                track: 1,
                offset: offset,
                isKeyframe: true,
                payloadLength: length
            )
            bytes.writeRepeatingByte(0xA3, count: length)
            return bytes
        }
        let group = ByteBuffer(bytes: [
            0xA0, 0x8C, 0x9B, 0x81, 0x14, 0xA1, 0x87, 0x81, 0xFF, 0xF6, 0x00, 1, 2, 3,
        ])
        return [block(0, 3), group, block(5, 100)]
    }

    @Test func `bytes cut anywhere come out whole, with their boundaries`() throws {
        let parts = children()
        var whole = ByteBuffer()
        var boundaries: Set<Int> = [0]
        for part in parts {
            whole.writeImmutableBuffer(part)
            boundaries.insert(whole.readableBytes)
        }
        var dropped = parts[0]
        dropped.writeImmutableBuffer(parts[2])
        for cut in 0...whole.readableBytes {
            for (dropping, expected) in [
                (.none, whole), (.before(ticks: 0), dropped), (.before(ticks: 10), whole),
                (.holding([UInt64(1000 + parts[0].readableBytes + 11)]), dropped),
            ] as [(ClusterChildren.Dropped, ByteBuffer)] {
                var children = ClusterChildren(dropping: dropping, from: 1000)
                var rest = whole
                var output = try children.take(rest.readSlice(length: cut) ?? ByteBuffer())
                if case .none = dropping {
                    // At most a prefix is held back.
                    #expect(cut - output.readableBytes < ElementPrefix.lengthMax)
                    #expect(
                        children.isBetweenChildren == boundaries.contains(output.readableBytes)
                    )
                }
                output.writeImmutableBuffer(try children.take(rest))
                #expect(output == expected)
                #expect(children.isBetweenChildren)
            }
        }
    }

    @Test func `bytes that are no element are damage`() {
        var children = ClusterChildren()
        #expect { try children.take(ByteBuffer(bytes: [0, 0, 0])) } throws: {
            ($0 as? PlaybackError)?.code == .damaged
        }
    }

    @Test(
        arguments: [
            // No block before the timecode; one 10 ms before; the first block itself before it.
            ([0, 20], Int16(0), UInt64(0)), ([0, -10], 0, 10), ([-5, 0], -5, 5), ([40, 0], 40, 0),
            ([0, -100_000], 0, 32_768), ([], 0, 0),
        ] as [([Int64], Int16, UInt64)]
    )
    func `the preroll is how far the earliest block lies before the timecode`(
        times: [Int64],
        first: Int16,
        expected: UInt64
    ) {
        let table = SampleTable(
            ordinal: 0,
            session: 1,
            producerTimestamp: Timestamp(milliseconds: 0),
            serverTimestamp: Timestamp(milliseconds: 0),
            durationMilliseconds: 0,
            clockSource: .absolute,
            tracks: [SampleTrack(number: 1, timeBase: .milliseconds, codecSet: 0)],
            samples: times.map {
                SampleEntry(track: 1, offset: 0, size: 1, dts: $0, pts: $0, isSync: true)
            }
        )
        #expect(
            Preroll.ticks(table, firstBlockOffset: first, timecodeScale: 1_000_000) == expected
        )
    }

    @Test(arguments: [
        (Int64(0), UInt64(1_000_000), UInt64?(0)), (1500, 1_000_000, 1500), (1500, 100_000, 15_000),
        (1500, 1_000_000_000, 2), (-1, 1_000_000, nil), (.max, 1_000_000, nil),
        (.max / 4_000_000, 1, UInt64(Int64.max / 4_000_000) * 1_000_000),
    ])
    func `a fragment's timecode is its distance from time zero in ticks`(
        milliseconds: Int64,
        scale: UInt64,
        expected: UInt64?
    ) throws {
        let track = Track(
            number: 1,
            kind: .video,
            codecID: "V_UNCOMPRESSED",
            timeBase: .milliseconds
        )
        var header = DocumentHeaderWriter.encode([track])
        let range = try #require(
            header.readableBytesView.firstRange(of: [0x2A, 0xD7, 0xB1, 0x83, 0x0F, 0x42, 0x40])
        )
        var written = header.readSlice(length: range.upperBound - 4) ?? ByteBuffer()
        // TimecodeScale in eight bytes makes Info five longer.
        written.writeBytes([0x88])
        written.writeInteger(scale)
        header.moveReaderIndex(forwardBy: 4)
        written.writeImmutableBuffer(header)
        let info = try #require(written.readableBytesView.firstRange(of: [0x15, 0x49, 0xA9, 0x66]))
        let length = try #require(written.getInteger(at: info.upperBound, as: UInt32.self))
        written.setInteger(length + 5, at: info.upperBound)
        let output = try OutputHeader(
            SegmentHeader(bytes: written, kind: .putMedia)
        )
        let zero = Timestamp(milliseconds: 0)
        let timeline = DocumentTimeline(header: output, producer: zero, preroll: 0)
        #expect(
            timeline.timecode(for: output, producer: Timestamp(milliseconds: milliseconds))
                == expected
        )
    }
}

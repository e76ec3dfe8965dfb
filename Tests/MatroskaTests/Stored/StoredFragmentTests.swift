import Matroska
import MediaModel
import NIOCore
import Testing

struct StoredFragmentTests {
    @Test func `a stored fragment consists of these parts`() throws {
        let frame = try StoredSample.frame(1)
        let children = StoredSample.children(1)
        let before = tags(simpleTag("a", "b"))
        let after = tags(simpleTag("c", "d")) + tags(simpleTag("e", "f"))
        var table = StoredSample.table(1)
        table.tagsBeforeLength = UInt64(before.count)
        table.clusterLength = UInt64(18 + children.count)
        table.tagsAfterLength = UInt64(after.count)
        table.tagsCRC = CRC32.of((before + after).buffer)
        let samplesTags = TagsWriter.samples(table: try table.encode()).array
        let serverTags = TagsWriter.server(
            number: StoredSample.number(1),
            serverTimestamp: table.serverTimestamp,
            producerTimestamp: table.producerTimestamp
        ).array
        let cluster = element(0x1F43_B675, crcElement(children) + children, sizeWidth: 8)
        let bytes = try StoredSample.bytes(1)
        #expect(bytes == samplesTags + serverTags + before + cluster + after)

        let fragment = try StoredFragment.parse(bytes.buffer)
        #expect(fragment == frame.fragment)
        #expect(fragment.number == StoredSample.number(1))
        #expect(fragment.table == table)
        #expect(fragment.samplesTagsLength == Int64(samplesTags.count))
        #expect(fragment.serverTagsLength == Int64(serverTags.count))
        #expect(fragment.tagsBeforeLength == Int64(before.count))
        #expect(fragment.clusterLength == Int64(cluster.count))
        #expect(fragment.tagsAfterLength == Int64(after.count))
        #expect(fragment.length == Int64(bytes.count))
        #expect(fragment.fragmentCRC == CRC32.of(bytes.buffer))
        #expect(try SampleTable(tags: samplesTags.buffer) == table)
    }

    @Test func `a fragment without tags has no checksum for them`() throws {
        let fragment = try StoredFragment.parse(try StoredSample.bytes(1, hasTags: false).buffer)
        #expect(fragment.table.tagsCRC == 0)
        #expect(fragment.tagsBeforeLength == 0)
        #expect(fragment.tagsAfterLength == 0)
    }

    @Test func `one wrong bit anywhere is found`() throws {
        let bytes = try StoredSample.bytes(1)
        for place in bytes.indices {
            for bit in [0, 3, 7] {
                var damaged = bytes
                damaged[place] ^= 1 << UInt8(bit)
                #expect(throws: MatroskaError.self) { try StoredFragment.parse(damaged.buffer) }
            }
        }
    }

    @Test func `every cut and every byte too many is refused`() throws {
        let bytes = try StoredSample.bytes(1)
        for length in bytes.indices {
            #expect(throws: MatroskaError.self) {
                try StoredFragment.parse(Bytes(bytes[..<length]).buffer)
            }
        }
        #expect(throws: MatroskaError.self) { try StoredFragment.parse((bytes + [0]).buffer) }
        #expect(throws: MatroskaError.self) { try StoredFragment.parse((bytes + bytes).buffer) }
    }

    @Test func `parts that contradict each other are refused`() throws {
        let children = StoredSample.children(1)
        let server = TagsWriter.server(
            number: StoredSample.number(1),
            serverTimestamp: Timestamp(milliseconds: 1_795_255_200_001),
            producerTimestamp: Timestamp(milliseconds: 1_795_255_199_000)
        )
        var table = StoredSample.table(1)
        table.clusterLength = UInt64(18 + children.count)
        let samples = TagsWriter.samples(table: try table.encode()).array
        let cluster = element(0x1F43_B675, crcElement(children) + children, sizeWidth: 8)
        #expect(throws: MatroskaError.self) {
            try StoredFragment.parse((samples + server.array + cluster).buffer)
        }
        let noNumber = TagsWriter.plain([TagItem(name: "a", value: "b")]).array
        #expect(throws: MatroskaError.self) {
            try StoredFragment.parse((samples + noNumber + cluster).buffer)
        }
        table.tagsAfterLength = .max
        table.tagsBeforeLength = .max
        let huge = TagsWriter.samples(table: try table.encode()).array
        let right = TagsWriter.server(
            number: StoredSample.number(1),
            serverTimestamp: table.serverTimestamp,
            producerTimestamp: table.producerTimestamp
        )
        #expect(throws: MatroskaError.self) {
            try StoredFragment.parse((huge + right.array + cluster).buffer)
        }
    }
}

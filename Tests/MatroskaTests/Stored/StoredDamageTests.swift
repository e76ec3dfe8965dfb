import Matroska
import MediaModel
import NIOCore
import Testing

/// Everything that reads stored bytes, given damaged ones.
struct StoredDamageTests {
    private static func damaged(_ bytes: Bytes, _ random: inout SeededGenerator) -> Bytes {
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
            let place = Int.random(in: 0..<bytes.count, using: &random)
            switch Int.random(in: 0..<4, using: &random) {
            case 0: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 1: bytes[place] = .random(in: 0...255, using: &random)
            case 2: bytes[place] = [0x00, 0x01, 0x7F, 0xFF][Int(random.next() % 4)]
            default: bytes.removeSubrange(place..<min(place + 3, bytes.count))
            }
        }
        return bytes
    }

    @Test func `a damaged log segment is walked to a defined end`() throws {
        var random = SeededGenerator(11)
        let whole = StoredSample.header + (try StoredSample.bytes(1)) + (try StoredSample.bytes(2))
        for _ in 0..<1500 {
            let file = SegmentBytes(bytes: Self.damaged(whole, &random))
            let start = try StoredHeader.length(file.read) ?? Int64(StoredSample.header.count)
            #expect(start <= Int64(file.bytes.count) || start == StoredSample.header.count)
            var scanner = StoredFragmentScanner(
                offset: start,
                checksClusters: .random(using: &random)
            )
            var isOver = false
            while !isOver {
                let before = scanner.offset
                switch try scanner.next(file.read) {
                case .fragment, .deleted: #expect(scanner.offset > before)
                case .end, .torn: isOver = true
                }
            }
        }
    }

    @Test func `damaged headers, tags and clusters end in a value or an error`() throws {
        var random = SeededGenerator(12)
        let header = LacingTests.header + tags(simpleTag("a", "b")) + element(0x114D_9B74, [])
        let cluster = ClusterRewriterTests.stored(uint(0xE7, 3) + ClusterRewriterTests.blocks)
        let tagsBytes = tags(simpleTag("a", "b") + simpleTag("c", "d"))
        let samples = TagsWriter.samples(table: try SampleTableTests.table.encode()).array
        for _ in 0..<3000 {
            if let read = try? DocumentHeader.parse(Self.damaged(header, &random).buffer) {
                _ = try? read.rewritten(dateUTC: Timestamp(milliseconds: .min))
            }
            let start = Self.damaged(cluster, &random).buffer
            if let prefix = try? ClusterRewriter.rewrite(start, timecode: random.next()) {
                #expect(prefix.replacedLength <= start.readableBytes)
            }
            _ = try? TagItem.items(in: Self.damaged(tagsBytes, &random).buffer)
            _ = try? SampleTable(tags: Self.damaged(samples, &random).buffer)
        }
    }
}

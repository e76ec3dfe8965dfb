import Matroska
import NIOCore
import Testing

struct ClusterRewriterTests {
    static let blocks = simpleBlock([1, 2, 3]) + simpleBlock(offset: 40, flags: 0, [4])
    static let void = Bytes(hex: "EC84 00000000")

    /// A Cluster as it is stored.
    static func stored(_ children: Bytes) -> Bytes {
        element(0x1F43_B675, crcElement(children) + children, sizeWidth: 8)
    }

    /// The Cluster as it is sent with another timecode.
    static func rewritten(_ cluster: Bytes, _ timecode: UInt64) throws -> Bytes {
        let prefix = try ClusterRewriter.rewrite(cluster.buffer, timecode: timecode)
        #expect(
            prefix.growth == prefix.replacement.readableBytes - prefix.replacedLength
        )
        return prefix.replacement.array + cluster[prefix.replacedLength...]
    }

    @Test(arguments: [0, 255, 65_535, UInt64.max])
    func `a timecode of eight bytes is patched in place`(value: UInt64) throws {
        let cluster = Self.stored(timecode(1000) + Self.blocks)
        let expected = element(
            0x1F43_B675,
            Self.void + timecode(value) + Self.blocks,
            sizeWidth: 8
        )
        #expect(try Self.rewritten(cluster, value) == expected)
        #expect(expected.count == cluster.count)
    }

    @Test func `a short timecode stays short where the new one fits`() throws {
        let cluster = Self.stored(uint(0xE7, 1000, width: 2) + Self.blocks)
        #expect(
            try Self.rewritten(cluster, 7)
                == element(
                    0x1F43_B675,
                    Self.void + uint(0xE7, 7, width: 2) + Self.blocks,
                    sizeWidth: 8
                )
        )
    }

    @Test func `a timecode that outgrows its bytes takes eight and the size follows`() throws {
        for width in 0...2 {
            let cluster = Self.stored(uint(0xE7, 0, width: width) + Self.blocks)
            let expected = element(
                0x1F43_B675,
                Self.void + timecode(70_000) + Self.blocks,
                sizeWidth: 8
            )
            #expect(try Self.rewritten(cluster, 70_000) == expected)
        }
    }

    @Test func `other sizes, unknown ones and children before the timecode are kept`() throws {
        let unknown = element(0x5854, [0x58, 0xD7, 0x81, 1])
        let rest = unknown + uint(0xE7, 5, width: 1) + Self.blocks
        let moved = unknown + uint(0xE7, 6, width: 1) + Self.blocks
        #expect(try Self.rewritten(cluster(rest), 6) == cluster(moved))
        #expect(try Self.rewritten(openCluster(rest), 6) == openCluster(moved))
        let grown = unknown + timecode(256) + Self.blocks
        #expect(try Self.rewritten(openCluster(rest), 256) == openCluster(grown))
        #expect(
            try Self.rewritten(cluster(rest), 256) == element(0x1F43_B675, grown, sizeWidth: 8)
        )
        let live = ClusterWriter.unknownSizeHead.array + timecode(5)
        #expect(
            try Self.rewritten(live, 0) == ClusterWriter.unknownSizeHead.array + timecode(0)
        )
    }

    @Test func `too few bytes are told apart from what is no cluster`() {
        let cluster = Self.stored(timecode(1000))
        for length in 0..<cluster.count {
            #expect(Self.code(Bytes(cluster[..<length])) == .truncated)
        }
        #expect(Self.code(Self.stored(Self.blocks)) == .truncated)
        #expect(Self.code(tags([])) == .invalidData)
        #expect(Self.code(openCluster([0xA3, 0xFF])) == .invalidData)
        #expect(cluster.count <= ClusterRewriter.recommendedLength)
    }

    private static func code(_ bytes: Bytes) -> MatroskaError.Code? {
        do throws(MatroskaError) {
            _ = try ClusterRewriter.rewrite(bytes.buffer, timecode: 1)
            return nil
        } catch {
            return error.code
        }
    }
}

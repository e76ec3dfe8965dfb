import Matroska
import NIOCore
import Testing

/// Real files, cut and split everywhere.
@Suite struct MatroskaParserSplitTests {
    @Test(arguments: SampleMatroska.allCases, [1, 7, 4096])
    func `events do not depend on how the bytes are split`(
        sample: SampleMatroska,
        pieceLength: Int
    ) throws {
        let all = try sample.bytes
        let bytes = pieceLength == 1 ? Bytes(all.prefix(80 << 10)) : all
        let whole = Outcome(bytes)
        #expect(whole.error == nil || whole.error?.code == .truncated)
        #expect(whole.events.samples.count > 40)
        #expect(Outcome(bytes, pieceLength: pieceLength) == whole)
    }

    @Test(arguments: SampleMatroska.allCases)
    func `every prefix of 64 KiB ends in order at a boundary or is truncated`(
        sample: SampleMatroska
    ) throws {
        let bytes = try sample.bytes
        let cuts = Set(Boundaries.orderlyEnds(of: bytes))
        var parser = MatroskaParser()
        var found: [Event] = []
        for place in 0..<min(bytes.count, 64 << 10) {
            try parser.consume(ByteBuffer(bytes: [bytes[place]]), into: &found)
            let expected: MatroskaError.Code? = cuts.contains(place + 1) ? nil : .truncated
            if Self.codeOfEnd(parser) != expected {
                Issue.record("byte \(place + 1): \(String(describing: Self.codeOfEnd(parser)))")
            }
        }
        #expect(!found.isEmpty)
    }

    @Test(arguments: SampleMatroska.allCases)
    func `a cut at every element boundary ends in order or is truncated`(
        sample: SampleMatroska
    ) throws {
        let bytes = try sample.bytes
        let all = bytes.buffer
        let ends = Set(Boundaries.orderlyEnds(of: bytes))
        var parser = MatroskaParser()
        var found: [Event] = []
        var start = 0
        for cut in Boundaries.all(of: bytes) where cut > start {
            let piece = try #require(all.getSlice(at: start, length: cut - start))
            try parser.consume(piece, into: &found)
            start = cut
            #expect(Self.codeOfEnd(parser) == (ends.contains(cut) ? nil : .truncated))
        }
        #expect(start == bytes.count)
    }

    /// How a document would end here; the parser given goes on.
    private static func codeOfEnd(_ parser: MatroskaParser) -> MatroskaError.Code? {
        var copy = parser
        var rest: [Event] = []
        do throws(MatroskaError) {
            try copy.finish(into: &rest)
            return nil
        } catch {
            return error.code
        }
    }

    /// Every kind of element in few bytes, so that damage hits structure and not payloads.
    private static let dense: Bytes = {
        let laced = [0x82, 0x84, 0x86].map { flags in
            simpleBlock(flags: UInt8(flags), [1, flags == 0x86 ? 0x81 : 1, 7, 7] as Bytes)
        }
        let children =
            timecode(1000) + laced[0] + laced[2] + simpleBlock(flags: 0x84, [1, 7, 7])
            + blockGroup(element(0xA1, blockData(track: 2, [1])) + uint(0x9B, 3) + uint(0xFB, 1))
            + element(0xEC, [0]) + uint(0xA7, 1)
        let closed = cluster(crcElement(children) + children)
        return LacingTests.header + closed + tags(simpleTag("a", "b")) + openCluster(children)
            + element(0x1C53_BB6B, [0xEC, 0x80]) + openCluster(children)
    }()

    @Test func `damaged bytes end in an error or in events, never in a trap`() throws {
        let real = Bytes(try SampleMatroska.live.bytes.prefix(24 << 10))
        let dense = Self.dense
        var random = SeededGenerator(1)
        var codes: Set<MatroskaError.Code> = []
        for round in 0..<8000 {
            var damaged = round % 8 == 0 ? real : dense
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let place = Int.random(in: 0..<damaged.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: damaged[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                case 1: damaged[place] = .random(in: 0...255, using: &random)
                case 2: damaged[place] = 0xFF
                default: damaged.removeSubrange(place..<min(place + 3, damaged.count))
                }
            }
            let whole = Outcome(damaged)
            if round % 16 == 0 { #expect(whole == Outcome(damaged, pieceLength: 61)) }
            if let error = whole.error { codes.insert(error.code) }
        }
        #expect(codes.isSuperset(of: [.invalidData, .truncated, .trackMismatch]))
    }
}

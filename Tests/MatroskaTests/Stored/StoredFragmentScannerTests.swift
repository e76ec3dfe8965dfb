import Matroska
import NIOCore
import Testing

struct StoredFragmentScannerTests {
    struct ReadFailure: Error {}

    /// Everything a scan finds, up to where it ends.
    private static func steps(
        _ bytes: Bytes,
        checksClusters: Bool = true,
        chunkLength: Int = 1 << 18
    ) throws -> [StoredFragmentScanner.Step] {
        let file = SegmentBytes(bytes: bytes)
        var scanner = StoredFragmentScanner(
            offset: Int64(StoredSample.header.count),
            checksClusters: checksClusters,
            chunkLength: chunkLength
        )
        var steps: [StoredFragmentScanner.Step] = []
        while true {
            steps.append(try scanner.next(file.read))
            switch steps.last {
            case .end, .torn: return steps
            default: continue
            }
        }
    }

    private static func placed(_ sequence: UInt64, _ offset: Int) throws -> StoredFragment {
        var fragment = try StoredSample.frame(sequence).fragment
        fragment.offset = Int64(offset)
        return fragment
    }

    @Test(arguments: [true, false], [1, 7, 1 << 18])
    func `fragments come in order with their places`(
        checksClusters: Bool,
        chunkLength: Int
    ) throws {
        let start = StoredSample.header.count
        let first = try StoredSample.bytes(1)
        let second = try StoredSample.bytes(2)
        let steps = try Self.steps(
            StoredSample.header + first + second,
            checksClusters: checksClusters,
            chunkLength: chunkLength
        )
        #expect(
            steps == [
                .fragment(try Self.placed(1, start)),
                .fragment(try Self.placed(2, start + first.count)),
                .end(offset: Int64(start + first.count + second.count)),
            ]
        )
    }

    @Test(arguments: [true, false])
    func `a tail torn at any byte is told from whole fragments`(checksClusters: Bool) throws {
        let start = StoredSample.header.count
        let first = try StoredSample.bytes(1)
        let second = try StoredSample.bytes(2)
        let whole = StoredSample.header + first + second
        for length in start...whole.count {
            let steps = try Self.steps(
                Bytes(whole[..<length]),
                checksClusters: checksClusters,
                chunkLength: 64
            )
            let complete = length == whole.count ? 2 : length >= start + first.count ? 1 : 0
            #expect(steps.count == complete + 1)
            let end = start + (complete > 0 ? first.count : 0) + (complete > 1 ? second.count : 0)
            if length == end {
                #expect(steps.last == .end(offset: Int64(end)))
            } else if case .torn(let offset, let why) = steps.last {
                #expect(offset == Int64(end))
                #expect(why.code == .truncated)
            } else {
                Issue.record("no torn tail at \(length)")
            }
        }
    }

    @Test func `a tail of zeros, which a power cut may leave, is torn`() throws {
        let first = try StoredSample.bytes(1)
        let zeros = Bytes(repeating: 0, count: 4096)
        let steps = try Self.steps(StoredSample.header + first + zeros)
        guard case .torn(let offset, let why) = steps.last else {
            Issue.record("not torn")
            return
        }
        #expect(offset == Int64(StoredSample.header.count + first.count))
        #expect(why.code == .invalidData)
        var holed = StoredSample.header + first
        holed.replaceSubrange(holed.count - 60..<holed.count, with: Bytes(repeating: 0, count: 60))
        #expect(try Self.steps(holed).count == 1)
    }

    @Test func `without checks damage inside a cluster is passed over and its place is not`() throws
    {
        let bytes = StoredSample.header + (try StoredSample.bytes(1))
        let fragment = try Self.placed(1, StoredSample.header.count)
        var damaged = bytes
        damaged[Int(fragment.tagsAfterOffset) - 1] ^= 1
        #expect(try Self.steps(damaged, checksClusters: false).first == .fragment(fragment))
        guard case .torn(_, let why)? = try Self.steps(damaged).first else {
            Issue.record("not torn")
            return
        }
        #expect(why.code == .checksumMismatch)
    }

    @Test func `deleted fragments are passed over`() throws {
        let start = StoredSample.header.count
        let first = try StoredSample.bytes(1)
        let void = element(0xEC, Bytes(repeating: 0, count: first.count - 9), sizeWidth: 8)
        #expect(void.count == first.count)
        let second = try StoredSample.bytes(2)
        let steps = try Self.steps(StoredSample.header + void + second)
        #expect(
            steps.prefix(2) == [
                .deleted(offset: Int64(start), length: Int64(first.count)),
                .fragment(try Self.placed(2, start + first.count)),
            ]
        )
        let cut = try Self.steps(StoredSample.header + void.dropLast())
        guard case .torn = cut.last else {
            Issue.record("not torn")
            return
        }
    }

    @Test func `a failure to read is not damage`() throws {
        var scanner = StoredFragmentScanner(offset: 0)
        #expect(throws: ReadFailure.self) {
            try scanner.next { _, _ in throw ReadFailure() }
        }
        #expect(scanner.offset == 0)
    }

    @Test func `memory does not grow with the cluster`() throws {
        let payload = Bytes(repeating: 9, count: 3 << 20)
        let children = timecode(0) + simpleBlock(payload)
        var table = StoredSample.table(1)
        table.samples = []
        let frame = try StoredFragmentFrame(
            number: StoredSample.number(1),
            table: table,
            childrenLength: children.count,
            childrenCRC: CRC32.of(children.buffer)
        )
        let bytes = (frame.head.array + children).buffer
        var scanner = StoredFragmentScanner(offset: 0)
        var longest = 0
        let step = try scanner.next { offset, length in
            longest = max(longest, length)
            let present = min(length, bytes.readableBytes - Int(offset))
            return bytes.getSlice(at: Int(offset), length: max(0, present)) ?? ByteBuffer()
        }
        #expect(step == .fragment(frame.fragment))
        #expect(longest == 256 << 10)
    }

    @Test func `the header's end is found where the index is lost`() throws {
        let header = StoredSample.header
        let first = try StoredSample.bytes(1)
        let void = element(0xEC, Bytes(repeating: 0, count: 100))
        func length(_ bytes: Bytes) throws -> Int64? {
            try StoredHeader.length(SegmentBytes(bytes: bytes).read)
        }
        #expect(try length(header + first) == Int64(header.count))
        #expect(try length(header + void + first) == Int64(header.count))
        #expect(try length(header) == Int64(header.count))
        #expect(try length(header + void) == Int64(header.count))
        let tagged = header + void + tags(simpleTag("ENCODER", "x"))
        #expect(try length(tagged + first + first) == Int64(tagged.count))
        #expect(try length(header + first.prefix(50)) == Int64(header.count))
        #expect(try length(header + first.prefix(20)) == Int64(header.count))
        #expect(try length([]) == nil)
        #expect(try length(Bytes(header.prefix(20))) == nil)
        #expect(try length(Bytes(repeating: 0, count: 100)) == nil)
    }
}

import Matroska
import MediaModel
import NIOCore
import Testing

struct SampleTableTests {
    /// Two seconds of video with B-frames, and two audio samples.
    static let table = SampleTable(
        ordinal: 300,
        session: 5,
        producerTimestamp: Timestamp(milliseconds: 1000),
        serverTimestamp: Timestamp(milliseconds: -1),
        durationMilliseconds: 2000,
        clockSource: .arrival,
        clockErrorMilliseconds: 128,
        flags: [.discontinuity, .tags],
        mediaTimeMilliseconds: -2,
        tagsBeforeLength: 1,
        clusterLength: 1000,
        tagsAfterLength: 2,
        tagsCRC: 0x0102_0304,
        tracks: [
            SampleTrack(number: 1, timeBase: .mpegTS, codecSet: 0xFFFF_FFFF),
            SampleTrack(number: 2, timeBase: .milliseconds, codecSet: 0),
            SampleTrack(number: 3, timeBase: .milliseconds, codecSet: 1),
        ],
        samples: [
            SampleEntry(track: 1, offset: 16, size: 300, dts: -3600, pts: 0, isSync: true),
            SampleEntry(track: 2, offset: 320, size: 10, dts: 5, pts: 5, isSync: true),
            SampleEntry(track: 1, offset: 334, size: 20, dts: 0, pts: 7200, isSync: false),
            SampleEntry(track: 1, offset: 358, size: 21, dts: 3600, pts: 3600, isSync: false),
            SampleEntry(track: 1, offset: 383, size: 0, dts: 7200, pts: 10_800, isSync: false),
            SampleEntry(track: 2, offset: 383, size: 10, dts: 26, pts: 26, isSync: true),
        ]
    )

    static let golden = Bytes(
        hex: """
            01 AC02 05 D00F 01 D00F 03 8001 11 03 01 E807 02 04030201
            03
            01 01 90BF05 FFFFFFFF0F 04 9F38 00
            02 01 E807 00 02 0A 0A
            03 01 E807 01 00 00 00
            06
            00 01 02 01 01 01 02
            00 10 04 04 04 04 00
            00 AC02 0A 14 15 00 0A
            01 02 00 03 A038 01 2A
            00 A038 00 C070 00 A038 00
            00 01 01 00 00 00 01
            """
    )

    @Test func `the stored bytes are these`() throws {
        #expect(try Self.table.encode().array == Self.golden)
        #expect(try SampleTable(decoding: Self.golden.buffer) == Self.table)
    }

    @Test func `columns that repeat are written in runs`() throws {
        var table = Self.table
        table.clusterLength = 1 << 20
        table.samples = []
        for index: Int64 in 0..<300 {
            let offset = UInt64(6 + index * 104)
            let time = index * 3600
            let isSync = index == 0
            table.samples.append(
                SampleEntry(
                    track: 1,
                    offset: offset,
                    size: 100,
                    dts: time,
                    pts: time,
                    isSync: isSync
                )
            )
        }
        let bytes = try table.encode().array
        #expect(
            bytes.suffix(33)
                == Bytes(
                    hex: """
                        AC02
                        01 AC02 01
                        01 01 06 AB02 04
                        01 AC02 64
                        01 01 00 AB02 A038
                        01 AC02 00
                        01 01 01 AB02 00
                        """
                )
        )
        #expect(try SampleTable(decoding: bytes.buffer) == table)
    }

    @Test func `random tables survive the round trip`() throws {
        var random = SeededGenerator(7)
        for _ in 0..<200 {
            let table = Self.random(&random)
            #expect(try SampleTable(decoding: table.encode()) == table)
        }
    }

    @Test func `extreme values survive the round trip`() throws {
        var table = Self.table
        table.ordinal = .max
        table.session = .max
        table.producerTimestamp = Timestamp(milliseconds: .min)
        table.serverTimestamp = Timestamp(milliseconds: .max)
        table.durationMilliseconds = .max
        table.flags = FragmentFlags(rawValue: .max)
        table.clusterLength = .max
        table.samples = [
            SampleEntry(track: 1, offset: 1 << 62, size: .max, dts: .min, pts: .min, isSync: true),
            SampleEntry(track: 1, offset: 1 << 63, size: .max, dts: -1, pts: -1, isSync: true),
            SampleEntry(track: 2, offset: 3 << 62, size: 0, dts: 0, pts: .max, isSync: true),
        ]
        #expect(try SampleTable(decoding: table.encode()) == table)
        table.samples = []
        table.tracks = []
        #expect(try SampleTable(decoding: table.encode()) == table)
    }

    @Test func `every cut and every trailing byte is refused`() {
        for length in 0..<Self.golden.count {
            #expect(Self.code(Bytes(Self.golden[..<length])) == .invalidTable)
        }
        #expect(Self.code(Self.golden + [0]) == .invalidTable)
    }

    @Test(
        arguments: [
            ("another version", 0, [0x02]),
            ("an over-long integer", 3, [0x85, 0x00]),
            ("an unknown clock source", 9, [0x04]),
            ("a track number of zero", 23, [0x00]),
            ("a zero numerator", 24, [0x00]),
            ("a wrong count", 33, [0x03]),
            ("a wrong first time", 34, [0xA1, 0x38]),
            ("a time of a track without samples", 51, [0x02]),
            ("a sample of an undeclared track", 55, [0x04]),
            ("a column of another form", 54, [0x02]),
            ("an impossible sync flag", 95, [0x02]),
            ("a delta of a first sample", 78, [0x02]),
        ] as [(String, Int, Bytes)]
    )
    func `a damaged table is refused`(what: String, place: Int, replacement: Bytes) {
        var bytes = Self.golden
        bytes.replaceSubrange(
            place..<place + (replacement.count == 1 ? 1 : what.contains("over") ? 1 : 2),
            with: replacement
        )
        #expect(Self.code(bytes) == .invalidTable, "\(what)")
    }

    @Test func `damage never traps and claims are bounded`() {
        var random = SeededGenerator(3)
        for _ in 0..<20_000 {
            var bytes = Self.golden
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = .random(
                    in: 0...255,
                    using: &random
                )
            }
            if let table = try? SampleTable(decoding: bytes.buffer) {
                #expect((try? table.encode()) != nil)
            }
        }
        let facts = Self.golden[..<22]
        let many = facts + [0x00] + Bytes(hex: "C1843D")
        #expect(Self.code(Bytes(many)) == .invalidTable)
    }

    @Test func `a table that could not be read back is not written`() {
        for change in [
            { $0.samples[1].offset = 300 },
            { $0.samples[1].track = 9 },
            { $0.samples[1].track = 200 },
            { $0.samples[2].dts = .max },
            { $0.samples[0].pts = .max },
            { $0.samples[5].offset = .max },
            { $0.samples[5].size = 606 },
            { $0.tracks[1].number = 1 },
            { $0.tracks[1].number = 0 },
            { $0.tracks[1].number = 128 },
            { $0.samples = Array(repeating: $0.samples[4], count: 1_000_001) },
        ] as [(inout SampleTable) -> Void] {
            var table = Self.table
            change(&table)
            #expect(throws: MatroskaError.self) { try table.encode() }
        }
        var fits = Self.table
        fits.samples[5].size = 1000 - 12 - 383
        #expect((try? fits.encode()) != nil)
        fits.samples[5].size += 1
        #expect((try? fits.encode()) == nil)
    }

    private static func code(_ bytes: Bytes) -> MatroskaError.Code? {
        do throws(MatroskaError) {
            _ = try SampleTable(decoding: bytes.buffer)
            return nil
        } catch {
            return error.code
        }
    }

    private static func random(_ random: inout SeededGenerator) -> SampleTable {
        var table = Self.table
        table.ordinal = .random(in: 0...(.max), using: &random)
        table.samples = []
        var offset: UInt64 = 0
        for _ in 0..<Int.random(in: 0...200, using: &random) {
            offset += .random(in: 0...20, using: &random)
            let size = UInt32.random(in: 0...100_000, using: &random)
            let dts = Int64.random(in: -(1 << 40)...(1 << 40), using: &random)
            table.samples.append(
                SampleEntry(
                    track: .random(in: 1...3, using: &random),
                    offset: offset,
                    size: size,
                    dts: dts,
                    pts: dts + .random(in: -9000...9000, using: &random),
                    isSync: .random(using: &random)
                )
            )
            offset += UInt64(size)
        }
        table.clusterLength = offset + 12
        return table
    }
}

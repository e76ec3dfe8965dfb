import FragmentLog
import Ingest
import LogTestSupport
import Matroska
import MediaModel
import NIOCore
import TestSupport
import Testing

@Suite struct PutMediaSessionTests {
    typealias Make = ProducerBytes

    /// 2024-03-22T16:23:05.823Z.
    static let base: UInt64 = 1_711_124_585_823

    /// The bytes of all children of a stored Cluster.
    private func children(_ bench: IngestBench, _ record: FragmentRecord) async throws -> [UInt8] {
        let cluster = try await bench.stream.read(record, .cluster)
        return Array(cluster.readableBytesView.dropFirst(ClusterWriter.prefixLength))
    }

    @Test(arguments: [1, 7, 1000, 1_000_000])
    func `each Cluster is a fragment and is acknowledged three times`(chunk: Int) async throws {
        let bench = try await IngestBench()
        let body =
            Make.header() + Make.media(Self.base) + Make.media(Self.base + 1000)
            + Make.media(Self.base + 2000)
        let run = try await bench.put(body, chunk: chunk)
        #expect(run.end == .finished)
        for offset in [UInt64(0), 1000, 2000] {
            let timecode = Self.base + offset
            let kinds = run.lines.filter { $0.hasSuffix(String(timecode)) }.compactMap(\.first)
            #expect(kinds == ["B", "R", "P"])
        }
        #expect(run.only("P") == [0, 1000, 2000].map { "P\(Self.base + UInt64($0))" })
        let records = try await bench.records()
        #expect(
            records.map { UInt64($0.producer.milliseconds) }
                == [0, 1000, 2000].map { Self.base + $0 }
        )
        #expect(records.map(\.durationMilliseconds) == [1000, 1000, 1000])
        #expect(records.allSatisfy { $0.flags.isEmpty && $0.clockSource == .absolute })
        #expect(records.allSatisfy { $0.sampleCount == 75 })
        #expect(run.summary.fragmentCount == 3)
        let header = try await bench.stream.header(of: records[0])
        #expect(header.kind == .putMedia)
        await bench.close()
    }

    @Test func `children are stored byte for byte without Position`() async throws {
        let bench = try await IngestBench()
        _ = try await bench.put(Make.header() + Make.media(Self.base))
        let record = try #require(try await bench.records().first)
        var expected = Make.unsigned(0xE7, Self.base)
        let head = Make.cluster(Self.base).count
        expected += Make.media(Self.base).dropFirst(head)
        #expect(try await children(bench, record) == expected)
        let header = try await bench.stream.header(of: record)
        // All of it as sent, but for the Segment's size, which becomes an unknown one of eight bytes.
        let sent = Make.header()
        let size = Make.ebml.count + 4
        #expect(sent[size] == 0xFF)
        #expect(
            Array(header.bytes.readableBytesView)
                == sent[..<size] + [0x01] + [UInt8](repeating: 0xFF, count: 7) + sent[(size + 1)...]
        )
        await bench.close()
    }

    @Test func `the sample table points at the frames and times them`() async throws {
        let bench = try await IngestBench()
        _ = try await bench.put(Make.header() + Make.media(Self.base, ms: 200))
        let record = try #require(try await bench.records().first)
        let table = try await bench.table(record)
        let cluster = try await bench.stream.read(record, .cluster)
        for sample in table.samples {
            let at = cluster.readerIndex + ClusterWriter.headLength + Int(sample.offset)
            let bytes = try #require(cluster.getBytes(at: at, length: Int(sample.size)))
            #expect(bytes.count == 20)
            #expect(Set(bytes).count == 1)
        }
        let video = table.samples.filter { $0.track == 1 }
        #expect(video.map { $0.pts - Int64(Self.base) } == [0, 40, 80, 120, 160])
        #expect(video.map(\.isSync) == [true, false, false, false, false])
        // No parameter set says how far pictures are reordered: two frames are assumed.
        #expect(video.map { $0.dts - Int64(Self.base) } == [-66, -33, 0, 40, 80])
        let audio = table.samples.filter { $0.track == 2 }
        #expect(audio.allSatisfy { $0.isSync })
        #expect(
            table.tracks.map(\.timeBase) == [.milliseconds, TimeBase.audio(sampleRate: 48_000)]
        )
        #expect(
            audio.map { $0.pts / 48 - Int64(Self.base) } == [
                0, 20, 40, 60, 80, 100, 120, 140, 160, 180,
            ]
        )
        await bench.close()
    }

    @Test func `relative timecodes count from the start timestamp`() async throws {
        let bench = try await IngestBench()
        let start = Timestamp(milliseconds: Int64(Self.base))
        let body = Make.header() + Make.media(0) + Make.media(1000)
        let run = try await bench.put(body, timecodes: .relative(start: start))
        #expect(run.only("B") == ["B0", "B1000"])
        let records = try await bench.records()
        #expect(records.map(\.producer) == [start, start.advanced(byMilliseconds: 1000)])
        #expect(records.map(\.mediaTimeMilliseconds) == [0, 1000])
        #expect(records.allSatisfy { $0.clockSource == .start })
        let kind = try await bench.stream.header(of: records[0]).kind
        #expect(kind == .putMediaRelative(session: records[0].session))
        await bench.close()
    }

    @Test func `timecodes are scaled but acknowledged as sent`() async throws {
        let bench = try await IngestBench()
        let ticks = Self.base * 10
        let body =
            Make.header(scale: 100_000) + Make.cluster(ticks) + Make.block(1, 0, key: true)
            + Make.block(1, 400, key: false) + Make.endOfFragment
        let run = try await bench.put(body)
        #expect(run.only("P") == ["P\(ticks)"])
        let record = try #require(try await bench.records().first)
        #expect(record.producer.milliseconds == Int64(Self.base))
        #expect(record.durationMilliseconds == 80)
        await bench.close()
    }

    @Test func `the end-of-fragment tag completes a fragment while the connection stays`()
        async throws
    {
        let bench = try await IngestBench()
        let (body, input) = AsyncStream.makeStream(of: ByteBuffer.self)
        let session = try PutMediaSession(
            stream: bench.stream,
            request: PutMediaRequest(timecodes: .absolute, peer: "test"),
            logger: IngestBench.logger
        )
        async let end = session.run(body)
        input.yield(
            ByteBuffer(bytes: Make.header() + Make.media(Self.base) + Make.endOfFragment)
        )
        var kinds: [String] = []
        for await ack in session.acknowledgements {
            switch ack {
            case .buffering: kinds.append("buffering")
            case .received: kinds.append("received")
            case .persisted:
                kinds.append("persisted")
                #expect(bench.stream.head != nil)
                // Only now does the client end, as the C SDK does at stop.
                input.finish()
            // A busy machine may cause it at any time.
            case .idle: break
            case .error: Issue.record("\(ack)")
            }
        }
        #expect(kinds == ["buffering", "received", "persisted"])
        #expect(await end.end == .finished)
        await bench.close()
    }

    @Test func `tags up to the end marker are the fragment's and later ones the next one's`()
        async throws
    {
        let bench = try await IngestBench()
        let first = Make.tags([("early", "1")])
        let second = Make.tags([("late", "2")])
        let third = Make.tags([("after", "3")])
        let body =
            Make.header() + Make.media(Self.base) + first + second + Make.endOfFragment + third
            + Make.media(Self.base + 1000) + first
        _ = try await bench.put(body)
        let records = try await bench.records()
        #expect(records.count == 2)
        let after = try await bench.stream.read(records[0], .tagsAfter)
        #expect(Array(after.readableBytesView) == first + second + Make.endOfFragment)
        #expect(records[0].tagsBeforeLength == 0)
        let before = try await bench.stream.read(records[1], .tagsBefore)
        #expect(Array(before.readableBytesView) == third)
        let last = try await bench.stream.read(records[1], .tagsAfter)
        #expect(Array(last.readableBytesView) == first)
        #expect(records.allSatisfy { $0.flags == .tags })
        await bench.close()
    }

    @Test func `header tags stay in the header and do not count`() async throws {
        let bench = try await IngestBench()
        let many = (0..<30).map { ("name\($0)", "value") }
        let body = Make.header(more: Make.tags(many)) + Make.media(Self.base)
        let run = try await bench.put(body)
        #expect(run.end == .finished)
        let record = try #require(try await bench.records().first)
        let header = try DocumentHeader.parse(try await bench.stream.header(of: record).bytes)
        #expect(header.tags.count == 30)
        await bench.close()
    }

    @Test func `tags that only the server writes are not echoed`() async throws {
        let bench = try await IngestBench()
        let mixed = Make.tags([("AWS_KINESISVIDEO_FRAGMENT_NUMBER", "1"), ("mine", "2")])
        let own = Make.tags([("AWS_KINESISVIDEO_SERVER_TIMESTAMP", "1.000")])
        _ = try await bench.put(Make.header() + Make.media(Self.base) + mixed + own)
        let record = try #require(try await bench.records().first)
        let tags = try await bench.stream.read(record, .tagsAfter)
        #expect(try TagItem.items(in: tags) == [TagItem(name: "mine", value: "2")])
        await bench.close()
    }

    @Test func `the tags of a producer stay whole beside those that only the server writes`()
        async throws
    {
        let bench = try await IngestBench()
        let server = Make.simpleTag("AWS_KINESISVIDEO_FRAGMENT_NUMBER", "1")
        let targets = Make.element(0x63C0, Make.unsigned(0x63C5, 1))
        let binary = Make.element(0x67C8, Make.text(0x45A3, "raw") + Make.element(0x4485, [1, 2]))
        let mine = Make.simpleTag("mine", "2") + binary
        let tags = Make.element(0x1254_C367, Make.element(0x7373, targets + server + mine))
        let header = Make.header(more: tags)
        _ = try await bench.put(header + Make.media(Self.base) + tags)
        let record = try #require(try await bench.records().first)
        let after = Array(try await bench.stream.read(record, .tagsAfter).readableBytesView)
        let kept = targets + mine
        #expect(after.suffix(kept.count) == kept[...])
        let items = [
            TagItem(name: "mine", value: "2"), TagItem(name: "raw", value: "", isBinary: true),
        ]
        #expect(try TagItem.items(in: ByteBuffer(bytes: after)) == items)
        // In the header they would be served with every fragment of the session.
        let stored = try await bench.stream.header(of: record).bytes
        #expect(try DocumentHeader.parse(stored).tags == items)
        #expect(!String(buffer: stored).contains("FRAGMENT_NUMBER"))
        #expect(Array(stored.readableBytesView.suffix(kept.count)) == kept)
        await bench.close()
    }

    @Test func `new parameter sets in band give a fragment another codec set`() async throws {
        // Two recordings behind each other under the header of the first.
        var both = try await Remux.make(.visitor, "mpegts")
        both.writeImmutableBuffer(try await Remux.make(.bunny2sGOP, "mpegts"))
        let body = try await Program.succeed(
            [
                "ffmpeg", "-v", "error", "-nostdin", "-f", "mpegts", "-i", "-", "-an", "-c", "copy",
                "-f", "matroska", "-live", "1", "-cluster_time_limit", "2000",
                "-cluster_size_limit", "100000000", "-",
            ],
            input: both
        )
        let bench = try await IngestBench()
        let run = try await bench.put(
            ChunkedBody(body, chunk: 10_000),
            timecodes: .relative(start: IngestBench.start)
        )
        #expect(run.end == .finished)
        let records = try await bench.records()
        let header = try DocumentHeader.parse(try await bench.stream.header(of: records[0]).bytes)
        let declared = CodecSet.id(of: header.tracks[0])
        var sets: [UInt32] = []
        for record in records { sets += try await bench.table(record).tracks.map(\.codecSet) }
        #expect(sets.count == 13)
        #expect(sets.prefix(8).allSatisfy { $0 == declared })
        #expect(sets.suffix(5).allSatisfy { $0 == sets.last && $0 != declared })
        await bench.close()
    }

    @Test func `Clusters of known size and block groups are taken too`() async throws {
        let bench = try await IngestBench()
        let group = Make.element(
            0xA0,
            Make.element(0xA1, [0x81, 0, 40, 0, 7, 7, 7]) + Make.unsigned(0x9B, 100)
                + Make.element(0xFB, [0xD8])
        )
        let body =
            Make.header()
            + Make.knownCluster(Self.base, [Make.block(1, 0, key: true), group])
            + Make.element(0xEC, [0, 0, 0])
        let run = try await bench.put(body)
        #expect(run.lines == ["B\(Self.base)", "R\(Self.base)", "P\(Self.base)"])
        let record = try #require(try await bench.records().first)
        // The last picture at 40 ms states 100 ms.
        #expect(record.durationMilliseconds == 140)
        #expect(try await bench.table(record).samples.map(\.isSync) == [true, false])
        await bench.close()
    }

    @Test func `a fragment that does not start with a key frame is dependent`() async throws {
        let bench = try await IngestBench()
        let body =
            Make.header() + Make.media(Self.base) + Make.cluster(Self.base + 1000)
            + Make.block(1, 0, key: false) + Make.cluster(Self.base + 1040)
            + Make.block(2, 0, key: false) + Make.media(Self.base + 1080)
        _ = try await bench.put(body)
        #expect(try await bench.records().map(\.flags) == [[], .dependent, .dependent, []])
        await bench.close()
    }

    @Test func `a fragment that does not start with a key frame says so while it is open`()
        async throws
    {
        let bench = try await IngestBench()
        let (body, input) = AsyncStream.makeStream(of: ByteBuffer.self)
        async let run = bench.put(body)
        let cut = Make.cluster(Self.base + 1000) + Make.block(1, 0, key: false)
        input.yield(ByteBuffer(bytes: Make.header() + Make.media(Self.base) + cut))
        let end = Timestamp(milliseconds: Int64(Self.base) + 1000)
        let fragment = try #require(try await bench.fragment(at: end))
        #expect(fragment.opening.flags == .dependent)
        input.finish()
        _ = try await run
        #expect(try await bench.records().map(\.flags) == [[], .dependent])
        await bench.close()
    }

    @Test func `sound alone is not dependent`() async throws {
        let bench = try await IngestBench()
        let body =
            Make.header([Make.audio]) + Make.cluster(Self.base) + Make.block(2, 0, key: false)
            + Make.cluster(Self.base + 20) + Make.block(2, 0, key: false)
        _ = try await bench.put(body)
        #expect(try await bench.records().map(\.flags) == [[], []])
        #expect(try await bench.records().map(\.durationMilliseconds) == [20, 0])
        await bench.close()
    }

    @Test func `a pause of more than ten seconds is a discontinuity with its gap`() async throws {
        let bench = try await IngestBench()
        _ = try await bench.put(
            Make.header() + Make.media(Self.base) + Make.media(Self.base + 60_000)
        )
        let records = try await bench.records()
        #expect(records.map(\.flags) == [[], .discontinuity])
        let gaps = try await bench.gaps()
        #expect(gaps.map(\.reason) == [.timestampJump])
        #expect(gaps.map(\.start.milliseconds) == [Int64(Self.base) + 1000])
        #expect(gaps.map(\.end.milliseconds) == [Int64(Self.base) + 60_000])
        await bench.close()
    }

    @Test func `a Cluster without frames is no fragment and keeps its tags for the next`()
        async throws
    {
        let bench = try await IngestBench()
        let tag = Make.tags([("mine", "1")])
        let body =
            Make.header() + Make.cluster(Self.base) + tag + Make.media(Self.base + 1000)
        let run = try await bench.put(body)
        #expect(run.only("B") == ["B\(Self.base + 1000)"])
        let record = try #require(try await bench.records().first)
        #expect(Array(try await bench.stream.read(record, .tagsBefore).readableBytesView) == tag)
        await bench.close()
    }

    @Test func `without retention nothing is called persisted`() async throws {
        let bench = try await IngestBench(retentionHours: 0)
        let run = try await bench.put(Make.header() + Make.media(Self.base))
        #expect(run.lines == ["B\(Self.base)", "R\(Self.base)"])
        await bench.close()
    }

    @Test func `a client that wants no acknowledgements gets errors alone`() async throws {
        let bench = try await IngestBench()
        let body = Make.header() + Make.media(Self.base) + Make.media(Self.base)
        let run = try await bench.put(body, acknowledgements: false)
        #expect(run.lines == ["E4004@\(Self.base)"])
        await bench.close()
    }

    @Test(arguments: [[], ProducerBytes.header(), ProducerBytes.ebml])
    func `a connection without a Cluster ends quietly`(body: [UInt8]) async throws {
        let bench = try await IngestBench()
        let run = try await bench.put(body)
        #expect(run.lines == (body == ProducerBytes.ebml ? ["E4000"] : []))
        #expect(try await bench.records().isEmpty)
        await bench.close()
    }

    @Test func `a real recording comes back frame for frame`() async throws {
        let bench = try await IngestBench()
        let body = try await Remux.make(
            .bunny2sGOP,
            "matroska",
            ["-cluster_time_limit", "2000", "-cluster_size_limit", "100000000"]
        )
        let run = try await bench.put(
            ChunkedBody(body, chunk: 10_000),
            timecodes: .relative(start: IngestBench.start)
        )
        #expect(run.end == .finished)
        let records = try await bench.records()
        #expect(run.only("P").count == records.count)
        let document = try await bench.document(records)
        for kind in ["v", "a"] {
            #expect(try await Remux.frameHashes(document, kind) == Remux.frameHashes(body, kind))
        }
        var samples: [SampleEntry] = []
        for record in records { samples += try await bench.table(record).samples }
        let video = samples.filter { $0.track == 1 }
        #expect(video.map(\.pts) == (try await Remux.packets(body, "v")).map(\.pts))
        #expect(zip(video, video.dropFirst()).allSatisfy { $0.dts < $1.dts })
        #expect(video.allSatisfy { $0.dts <= $0.pts })
        await bench.close()
    }
}

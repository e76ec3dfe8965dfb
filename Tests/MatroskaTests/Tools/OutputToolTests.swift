import Matroska
import MediaModel
import NIOCore
import Testing

/// Other people's programs read what we write.
@Suite struct OutputToolTests {
    /// A log segment with as many fragments as the sample has Clusters, its header our own.
    struct Segment {
        var bytes: Bytes
        var clusters: [ByteBuffer]
        var timecodes: [UInt64]
        var header: DocumentHeader
        var sampleCount: Int
    }

    static func segment(
        _ sample: SampleMatroska,
        ownHeader: Bool,
        tracks: [Track] = []
    ) throws
        -> Segment
    {
        let found = Outcome(try sample.bytes).events
        var header = try #require(found.header)
        if ownHeader {
            header = try DocumentHeader.parse(DocumentHeaderWriter.encode(header.tracks + tracks))
        }
        var segment = Segment(
            bytes: header.bytes.array,
            clusters: [],
            timecodes: [],
            header: header,
            sampleCount: found.samples.count
        )
        var children: Bytes = []
        var samples: [SampleEntry] = []
        var timecode: UInt64 = 0
        for event in found {
            switch event {
            case .clusterStart: (children, samples) = ([], [])
            case .timecode(let value):
                timecode = value
                segment.timecodes.append(value)
            case .child(let bytes, let blockSamples):
                let base = ClusterWriter.checksumLength + children.count
                samples += blockSamples.map {
                    SampleEntry(
                        track: $0.track,
                        offset: UInt64(base + $0.offset),
                        size: UInt32($0.length),
                        dts: $0.timecode,
                        pts: $0.timecode,
                        isSync: $0.isKeyframe
                    )
                }
                children += bytes.array
            case .clusterEnd:
                let count = segment.clusters.count
                let frame = try StoredFragmentFrame(
                    number: StoredSample.number(UInt64(count + 1)),
                    table: SampleTable(
                        ordinal: UInt64(count),
                        session: 1,
                        producerTimestamp: Timestamp(milliseconds: Int64(timecode)),
                        serverTimestamp: Timestamp(milliseconds: 1_795_255_200_000),
                        durationMilliseconds: 1000,
                        clockSource: .arrival,
                        tracks: header.tracks.map {
                            SampleTrack(
                                number: $0.number,
                                timeBase: $0.timeBase,
                                codecSet: CodecSet.id(of: $0)
                            )
                        },
                        samples: samples
                    ),
                    tagsBefore: TagsWriter.plain([TagItem(name: "door", value: "open")]),
                    childrenLength: children.count,
                    childrenCRC: CRC32.of(children.buffer),
                    tagsAfter: TagsWriter.plain([TagItem(name: "fragment", value: "\(count)")])
                )
                let bytes = frame.head.array + children + frame.tail.array
                #expect(try StoredFragment.parse(bytes.buffer) == frame.fragment)
                segment.bytes += bytes
                let start = Int(frame.fragment.clusterOffset)
                segment.clusters.append(
                    Bytes(bytes[start..<start + Int(frame.fragment.clusterLength)]).buffer
                )
            default: break
            }
        }
        return segment
    }

    /// Runs every tool over a file and records what they complain of.
    static func judge(_ bytes: Bytes, sampleCount: Int) throws {
        let file = try TemporaryFile(bytes)
        // Not /dev/null, which mkvmerge itself warns of.
        let copy = try TemporaryFile()
        for (tool, arguments) in [
            (Tool.mkvinfo, [file.path]), (.mkvmerge, ["-o", copy.path, file.path]),
        ] {
            let (status, output) = try tool.run(arguments)
            #expect(status == 0, "\(output)")
            #expect(!output.contains("Warning"), "\(output)")
            #expect(!output.contains("Error"), "\(output)")
        }
        let decoded = try Tool.ffmpeg.run(["-v", "error", "-i", file.path, "-f", "null", "-"])
        #expect(decoded.status == 0)
        #expect(decoded.output == "")
        let probed = try Tool.ffprobe.run([
            "-v", "error", "-count_packets", "-show_entries", "stream=nb_read_packets",
            "-of", "csv=p=0", file.path,
        ])
        let counts = probed.output.split(separator: "\n").compactMap { Int($0) }
        #expect(counts.reduce(0, +) == sampleCount)
    }

    // With a header whose SeekHead and Cues describe the producer's own file, as mkvmerge's does,
    // ffmpeg looks for the index in the middle of a block and says so; it decodes all the same.
    @Test(arguments: [
        (SampleMatroska.seekable, true), (.mkvmerge, true), (.producer, false), (.live, false),
    ])
    func `a log segment is an ordinary Matroska file`(
        sample: SampleMatroska,
        ownHeader: Bool
    ) throws {
        let segment = try Self.segment(sample, ownHeader: ownHeader)
        #expect(segment.clusters.count > 1)
        try Self.judge(segment.bytes, sampleCount: segment.sampleCount)
    }

    @Test func `native output with moved timecodes is an ordinary Matroska file`() throws {
        let segment = try Self.segment(.live, ownHeader: false)
        let date = Timestamp(milliseconds: 1_795_255_200_000)
        var bytes = try segment.header.rewritten(dateUTC: date).array
        for (index, cluster) in segment.clusters.enumerated() {
            let prefix = try ClusterRewriter.rewrite(
                cluster,
                timecode: segment.timecodes[index] + 70_000
            )
            bytes += prefix.replacement.array + cluster.array[prefix.replacedLength...]
        }
        try Self.judge(bytes, sampleCount: segment.sampleCount)
        let file = try TemporaryFile(bytes)
        #expect(try Tool.mkvinfo.run([file.path]).output.contains("2026-11-21 10:00:00 UTC"))
    }

    @Test func `deleted fragments and other tracks do not disturb`() throws {
        let more = [
            Track(number: 9, kind: .data, codecID: "S_TEXT/UTF8", timeBase: .milliseconds),
            Track(
                number: 10,
                kind: .audio,
                codecID: "A_OPUS",
                codecPrivate: DocumentHeaderTests.opus.codecPrivate,
                timeBase: .milliseconds,
                sampleRate: 48_000,
                channelCount: 2
            ),
        ]
        let segment = try Self.segment(.live, ownHeader: true, tracks: more)
        let void = element(0xEC, Bytes(repeating: 0, count: 5000), sizeWidth: 8)
        let header = segment.header.bytes.array
        let bytes = header + void + segment.bytes[header.count...]
        try Self.judge(bytes, sampleCount: segment.sampleCount)
    }

    @Test func `a growing cluster is an ordinary Matroska file`() throws {
        let found = Outcome(try SampleMatroska.live.bytes).events
        var bytes = try #require(found.header).bytes.array
        for event in found {
            switch event {
            case .clusterStart: bytes += ClusterWriter.unknownSizeHead.array
            case .child(let child, _): bytes += child.array
            default: break
            }
        }
        try Self.judge(bytes, sampleCount: found.samples.count)
    }
}

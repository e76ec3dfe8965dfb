@testable import FFmpegMedia
import MediaModel
import NIOCore
import TestSupport
import Testing

struct SpecialStreamTests {
    private func make(_ input: [String], _ output: [String]) async throws -> ByteBuffer {
        try await Fixtures.shared.make(input, output).bytes
    }

    private func read(
        _ bytes: ByteBuffer,
        _ format: InputFormat,
        _ limits: DemuxerLimits = DemuxerLimits()
    ) async throws -> Demuxed {
        try await OwnThread.run { Demuxed.read(bytes, format, limits) }
    }

    // MARK: Times

    @Test func `times go on across the 33 bits of MPEG-TS`() async throws {
        // 2^33 ticks are 95 443.7 s.
        let plain = try await read(
            Container.mpegTS.fixture(of: .bunny2sGOP).bytes,
            .mpegTS
        )
        let wrapping = try await read(
            make(
                ["-i", SampleMedia.bunny2sGOP.path],
                ["-c", "copy", "-output_ts_offset", "95438", "-f", "mpegts"]
            ),
            .mpegTS
        )
        #expect(wrapping.error == nil)
        for track in 0..<2 {
            let expected = plain.samples(of: track)
            let found = wrapping.samples(of: track)
            let first = try #require(expected[0].dts)
            let start = try #require(found[0].dts)
            let period = Int64(1) << 33
            // The times in the file are just before zero.
            #expect((start % period + period) % period > period - 10 * 90_000)
            #expect(
                found.map { $0.dts.map { $0 - start } }
                    == expected.map { $0.dts.map { $0 - first } }
            )
            #expect(
                found.map { $0.pts.map { $0 - start } }
                    == expected.map { $0.pts.map { $0 - first } }
            )
        }
    }

    @Test func `audio frames of one PES packet follow each other to the tick`() async throws {
        let bytes = try await make(
            ["-i", SampleMedia.bunny2sGOP.path],
            ["-c:v", "copy", "-c:a", "aac", "-ar", "44100", "-ac", "2", "-f", "mpegts"]
        )
        let demuxed = try await read(bytes, .mpegTS)
        let audio = try #require(demuxed.tracks.first { $0.kind == .audio })
        #expect(audio.sampleRate == 44_100)
        let samples = demuxed.samples(of: audio.index)
        #expect(samples.count > 420)
        let first = try #require(samples[0].pts)
        for (index, sample) in samples.enumerated() {
            let exact = Double(first) + Double(index) * 1024 * 90_000 / 44_100
            let time = try #require(sample.pts)
            #expect(abs(Double(time) - exact) <= 1.5)
        }
        // Times that the container does not state are computed, so no error adds up.
        let limits = samples.map(\.duration)
        #expect(limits.allSatisfy { (2089...2090).contains($0) })
    }

    // MARK: Changes in the middle

    @Test func `other parameter sets in band are told at their first sync sample`() async throws {
        var bytes = try await Container.mpegTS.fixture(of: .bunny2sGOP).bytes
        bytes.writeImmutableBuffer(try await Container.mpegTS.fixture(of: .visitor).bytes)
        let first = try await SourceSamples.setUps(of: .bunny2sGOP).video
        let second = try await SourceSamples.setUps(of: .visitor).video
        try await OwnThread.run { [bytes] in
            let demuxer = try Demuxer(contents: bytes, format: .mpegTS)
            #expect(demuxer.tracks[0].codecPrivate == first)
            var changes: [(sample: Int, setUp: [UInt8])] = []
            var count = 0
            while let sample = try demuxer.next() {
                guard sample.track == 0 else { continue }
                if let new = sample.newCodecPrivate {
                    #expect(sample.isSync)
                    #expect(demuxer.tracks[0].codecPrivate == new)
                    changes.append((count, new))
                }
                count += 1
            }
            #expect(changes.map(\.sample) == [250])
            #expect(changes.map(\.setUp) == [second])
            #expect(demuxer.tracks[0].width == 960)
            #expect(demuxer.tracks[0].height == 540)
        }
    }

    @Test func `a new channel count of ADTS is told at its first sample`() async throws {
        let arguments = ["-map", "0:a", "-c:a", "aac", "-f", "adts"]
        var bytes = try await make(["-i", SampleMedia.visitor.path], arguments + ["-ac", "2"])
        let count = try await read(bytes, .adts).samples.count
        bytes.writeImmutableBuffer(
            try await make(["-i", SampleMedia.visitor.path], arguments + ["-ac", "1"])
        )
        let demuxed = try await read(bytes, .adts)
        #expect(demuxed.tracks[0].codecPrivate == [0x11, 0x88])
        let changes = demuxed.samples.indices.filter { demuxed.samples[$0].newCodecPrivate != nil }
        #expect(changes == [count])
    }

    @Test func `a change among the samples read ahead is told with its sample`() async throws {
        // Five pictures of one size, then another: all within what is read ahead, since the sound
        // that the tables declare never comes.
        let short = try await make(
            ["-i", SampleMedia.bunny2sGOP.path],
            ["-map", "0:v", "-frames:v", "5", "-c", "copy", "-f", "mpegts"]
        )
        let both = try await Container.mpegTS.fixture(of: .visitor).bytes
        // PID 0x101 is the sound: null packets in its place.
        let bytes = Self.withoutPackets(of: 0x101, in: both).prefixed(by: short)
        let second = try await SourceSamples.setUps(of: .visitor).video
        try await OwnThread.run {
            let demuxer = try Demuxer(contents: bytes, format: .mpegTS)
            #expect(demuxer.tracks[0].width == 1280)
            var widths: [UInt32] = []
            for index in 0..<10 {
                let sample = try #require(try demuxer.next())
                #expect((sample.newCodecPrivate == second) == (index == 5))
                widths.append(demuxer.tracks[0].width)
            }
            #expect(widths == [1280, 1280, 1280, 1280, 1280, 960, 960, 960, 960, 960])
        }
    }

    private static func withoutPackets(of pid: UInt16, in bytes: ByteBuffer) -> ByteBuffer {
        var bytes = bytes
        for offset in stride(from: bytes.readerIndex, to: bytes.writerIndex, by: 188) {
            let word = bytes.getInteger(at: offset + 1, as: UInt16.self) ?? 0
            if word & 0x1FFF == pid { bytes.setInteger(UInt16(0x1FFF), at: offset + 1) }
        }
        return bytes
    }

    @Test func `a stream that appears later becomes a track`() async throws {
        var bytes = try await make(
            ["-i", SampleMedia.bunny2sGOP.path],
            ["-map", "0:v", "-c", "copy", "-f", "mpegts"]
        )
        bytes.writeImmutableBuffer(try await Container.mpegTS.fixture(of: .bunny2sGOP).bytes)
        try await OwnThread.run { [bytes] in
            let demuxer = try Demuxer(contents: bytes, format: .mpegTS)
            #expect(demuxer.tracks.map(\.kind) == [.video])
            var audioCount = 0
            while let sample = try demuxer.next() {
                if sample.track == 1 { audioCount += 1 }
                #expect(sample.track < demuxer.tracks.count)
            }
            #expect(audioCount == 470)
            let audio = try #require(demuxer.tracks.last)
            #expect(audio.kind == .audio)
            #expect(audio.isReady)
            #expect(audio.sampleRate == 48_000)
        }
    }

    @Test func `a transport stream joined in the middle becomes ready at a sync sample`()
        async throws
    {
        var bytes = try await Container.mpegTS.fixture(of: .bunny2sGOP).bytes
        bytes.moveReaderIndex(forwardBy: 188 * 2000)
        try await OwnThread.run { [bytes] in
            let demuxer = try Demuxer(contents: bytes, format: .mpegTS)
            var isReadyBeforeSync = true
            var sawSync = false
            while let sample = try demuxer.next() {
                guard demuxer.tracks[sample.track].kind == .video else { continue }
                if sample.isSync { sawSync = true }
                if sawSync { #expect(demuxer.tracks[sample.track].isReady) }
                if !sawSync { isReadyBeforeSync = demuxer.tracks[sample.track].isReady }
                if sample.isSync, !isReadyBeforeSync { #expect(sample.newCodecPrivate != nil) }
                isReadyBeforeSync = true
            }
            #expect(sawSync)
            #expect(demuxer.tracks.first { $0.kind == .video }?.width == 1280)
        }
    }

    // MARK: Limits and what is left out

    @Test func `more tracks than the limit are an error`() async throws {
        let maps = (0..<9).flatMap { _ in ["-map", "0:a"] }
        let bytes = try await make(
            ["-t", "1", "-i", SampleMedia.visitor.path],
            maps + ["-c", "copy", "-f", "matroska"]
        )
        let refused = try await read(bytes, .matroska)
        #expect(refused.error?.code == .limit)
        #expect(refused.error?.message == "Reading Matroska: more than 8 tracks; send fewer")
        var limits = DemuxerLimits()
        limits.trackCountMax = 9
        #expect(try await read(bytes, .matroska, limits).tracks.count == 9)
    }

    @Test func `a container that declares streams without measure is refused`() async throws {
        let maps = (0..<70).flatMap { _ in ["-map", "0:a"] }
        let bytes = try await make(
            ["-t", "0.1", "-i", SampleMedia.visitor.path],
            maps + ["-c", "copy", "-f", "matroska"]
        )
        let refused = try await read(bytes, .matroska)
        #expect(refused.error?.code == .limit)
        #expect(refused.error?.message.contains("max_streams parameter (64)") == true)
    }

    @Test func `bytes without a sample end at the limit`() async throws {
        var limits = DemuxerLimits()
        limits.byteCountWithoutSampleMax = 50_000
        // The first key frame alone has more.
        let bytes = try await Container.matroska.fixture(of: .bunny2sGOP).bytes
        let large = try await read(bytes, .matroska, limits)
        #expect(large.error?.code == .limit)
        // Null packets of MPEG-TS without end.
        let null = [0x47, 0x1F, 0xFF, 0x10] + [UInt8](repeating: 0xFF, count: 184)
        var nulls = ByteBuffer()
        for _ in 0..<1000 { nulls.writeBytes(null) }
        let empty = try await read(nulls, .mpegTS, limits)
        #expect(empty.error?.code == .limit)
    }

    @Test func `pictures and subtitles without a Matroska form are left out with a reason`()
        async throws
    {
        let cover = try await Fixtures.shared.make(
            ["-i", SampleMedia.visitor.path],
            ["-frames:v", "1", "-f", "image2", "-c:v", "mjpeg"]
        )
        let bytes = try await make(
            ["-t", "1", "-i", SampleMedia.visitor.path, "-i", cover.path],
            [
                "-map", "0", "-map", "1", "-c", "copy", "-disposition:v:1", "attached_pic",
                "-movflags", "+faststart", "-f", "mp4",
            ]
        )
        let demuxed = try await read(bytes, .mp4)
        #expect(demuxed.error == nil)
        #expect(demuxed.tracks.map(\.kind) == [.video, .audio])
        #expect(
            demuxed.skippedStreams
                == [SkippedStream(stream: 2, reason: "A picture attached to the file is no track")]
        )
        #expect(demuxed.samples(of: 0).count >= 25)
    }

    @Test func `an MP4 file with its index at the end is refused`() async throws {
        let bytes = try contents(ofFile: SampleMedia.bunny.path)
        let demuxed = try await read(bytes, .mp4)
        #expect(demuxed.samples.isEmpty)
        #expect(demuxed.error?.code == .malformed)
        #expect(
            demuxed.error?.message
                == "Reading MP4 near byte 1055736: av_read_frame: Invalid data found when processing"
                + " input, stream 1, offset 0x30: partial file; send fragmented MP4, or MP4 with"
                + " its index (moov) in front of its media"
        )
    }

    // MARK: Other codecs

    @Test(arguments: [("pcm_mulaw", 7), ("pcm_alaw", 6)])
    func `G-711 has a WAVEFORMATEX`(codec: String, tag: UInt8) async throws {
        let bytes = try await make(
            ["-t", "1", "-i", SampleMedia.visitor.path],
            ["-map", "0:a", "-c:a", codec, "-ar", "8000", "-ac", "1", "-f", "matroska"]
        )
        let demuxed = try await read(bytes, .matroska)
        let track = try #require(demuxed.tracks.first)
        #expect(track.codecID == "A_MS/ACM")
        #expect(track.sampleRate == 8000)
        #expect(track.channelCount == 1)
        #expect(track.bitDepth == 8)
        #expect(
            track.codecPrivate
                == [UInt8](hex: "0\(tag)00 0100 401F0000 401F0000 0100 0800 0000")
        )
        #expect(demuxed.samples.allSatisfy { $0.isSync && $0.pts != nil })
        #expect(demuxed.samples.reduce(0) { $0 + $1.payload.readableBytes } == 8000)
    }

    @Test(arguments: [("ogg", InputFormat.ogg), ("matroska", .matroska), ("mpegts", .mpegTS)])
    func `Opus keeps its head`(muxer: String, format: InputFormat) async throws {
        let bytes = try await make(
            ["-t", "2", "-i", SampleMedia.visitor.path],
            ["-map", "0:a", "-c:a", "libopus", "-ac", "2", "-f", muxer]
        )
        #expect(InputFormat.sniff(bytes) == format)
        let demuxed = try await read(bytes, format)
        let track = try #require(demuxed.tracks.first)
        #expect(track.codecID == "A_OPUS")
        #expect(track.isReady)
        #expect(track.codecPrivate.starts(with: Array("OpusHead".utf8)))
        #expect(demuxed.samples.count >= 100)
        #expect(demuxed.samples.allSatisfy { $0.pts != nil && $0.duration > 0 })
    }

    @Test(
        arguments: [
            ("libmp3lame", "A_MPEG/L3", 1152), ("ac3", "A_AC3", 1536), ("eac3", "A_EAC3", 1536),
            ("mp2", "A_MPEG/L2", 1152),
        ]
    )
    func `other audio of MPEG-TS is ready without a decoder`(
        encoder: String,
        codecID: String,
        frameSampleCount: Int64
    ) async throws {
        let bytes = try await make(
            ["-t", "2", "-i", SampleMedia.visitor.path],
            ["-map", "0:a", "-c:a", encoder, "-ar", "48000", "-ac", "2", "-f", "mpegts"]
        )
        let demuxed = try await read(bytes, .mpegTS)
        let track = try #require(demuxed.tracks.first)
        #expect(track.codecID == codecID)
        #expect(track.isReady)
        #expect(track.sampleRate == 48_000)
        #expect(track.channelCount == 2)
        #expect(demuxed.samples.count > 60)
        let first = try #require(demuxed.samples[0].pts)
        for (index, sample) in demuxed.samples.enumerated() {
            // 48 kHz divides 90 kHz into frames of whole ticks.
            #expect(sample.pts == first + Int64(index) * frameSampleCount * 90 / 48)
            #expect(sample.duration == frameSampleCount * 90 / 48)
        }
    }

    @Test(
        arguments: [
            ("libmp3lame", "A_MPEG/L3", 1152), ("ac3", "A_AC3", 1536), ("eac3", "A_EAC3", 1536),
            ("mp2", "A_MPEG/L2", 1152),
        ]
    )
    func `sound of MPEG-TS that begins late is known from its first frame on`(
        encoder: String,
        codecID: String,
        frameSampleCount: Int64
    ) async throws {
        let bytes = try await make(
            ["-t", "8", "-i", SampleMedia.visitor.path, "-itsoffset", "4", "-t", "3", "-i"]
                + [SampleMedia.visitor.path],
            ["-map", "0:v", "-map", "1:a", "-c:v", "copy", "-c:a", encoder, "-ar", "48000"]
                + ["-ac", "2", "-f", "mpegts"]
        )
        let demuxed = try await read(bytes, .mpegTS)
        let track = try #require(demuxed.tracks.last)
        #expect(track.codecID == codecID)
        #expect(track.isReady)
        #expect(track.sampleRate == 48_000)
        #expect(track.channelCount == 2)
        let samples = demuxed.samples(of: 1)
        #expect(samples.count > 90)
        #expect(samples.indices.filter { samples[$0].newCodecPrivate != nil } == [0])
        let first = try #require(samples[0].pts)
        for (index, sample) in samples.enumerated() {
            #expect(sample.pts == first + Int64(index) * frameSampleCount * 90 / 48)
            #expect(sample.duration == frameSampleCount * 90 / 48)
        }
    }

    @Test func `sound that is declared and does not come holds up a second of pictures`()
        async throws
    {
        let both = try await Container.mpegTS.fixture(of: .bunny2sGOP)
        let bytes = Self.withoutPackets(of: 0x101, in: both.bytes)
        let positions = try await Program.succeed([
            "ffprobe", "-v", "error", "-select_streams", "v", "-show_entries", "packet=pos", "-of",
            "csv=p=0", both.path,
        ])
        let places = String(buffer: positions).split(separator: "\n").compactMap {
            UInt64($0.prefix { $0.isNumber })
        }
        let pipe = BytePipe(contents: bytes)
        let few = BytePipe(contents: bytes)
        try await OwnThread.run {
            _ = try Demuxer(pipe: pipe, format: .mpegTS)
            var limits = DemuxerLimits()
            limits.aheadByteCountMax = 1000
            _ = try Demuxer(pipe: few, format: .mpegTS, limits: limits)
        }
        // 25 pictures are a second; libavformat reads up to 16 KiB more than it needs.
        #expect(pipe.bytesRead < places[28] + 32_768)
        #expect(pipe.bytesRead > places[20])
        #expect(few.bytesRead < places[8] + 32_768)
    }

    @Test func `MPEG-2 video is ready without a decoder`() async throws {
        let bytes = try await make(
            ["-t", "2", "-i", SampleMedia.visitor.path],
            ["-map", "0:v", "-vf", "scale=320:-2", "-c:v", "mpeg2video", "-f", "mpegts"]
        )
        let demuxed = try await read(bytes, .mpegTS)
        let track = try #require(demuxed.tracks.first)
        #expect(track.codecID == "V_MPEG2")
        #expect(track.width == 320)
        #expect(track.height == 180)
        #expect(demuxed.samples.count >= 50)
        #expect(demuxed.samples.filter(\.isSync).count >= 4)
    }

    @Test func `FLAC has its beginning with STREAMINFO`() async throws {
        let bytes = try await make(
            ["-t", "1", "-i", SampleMedia.visitor.path],
            ["-map", "0:a", "-c:a", "flac", "-f", "matroska"]
        )
        let track = try #require(try await read(bytes, .matroska).tracks.first)
        #expect(track.codecPrivate.count == 42)
        #expect(track.codecPrivate.starts(with: Array("fLaC".utf8) + [0x80, 0, 0, 34]))
    }

    @Test func `an ADTS body is raw AAC on an exact time line`() async throws {
        let bytes = try await make(
            ["-i", SampleMedia.visitor.path],
            ["-map", "0:a", "-c", "copy", "-f", "adts"]
        )
        #expect(InputFormat.sniff(bytes) == .adts)
        let demuxed = try await read(bytes, .adts)
        let source = try await SourceSamples.read(.visitor)
        #expect(demuxed.samples.map(\.payload) == source.audio)
        let track = demuxed.tracks[0]
        for (index, sample) in demuxed.samples.enumerated() {
            let microseconds = try #require(sample.pts).multipliedReportingOverflow(by: 48_000)
            #expect(
                microseconds.partialValue
                    == Int64(index) * 1024 * Int64(track.timeBase.denominator)
            )
        }
    }

    @Test func `a frame that cannot be read takes up its time`() async throws {
        let bytes = try await make(
            ["-i", SampleMedia.visitor.path],
            ["-map", "0:a", "-c", "copy", "-f", "adts"]
        )
        var damaged = bytes
        var offset = bytes.readerIndex
        for index in 0..<20 {
            let head = try #require(bytes.getBytes(at: offset, length: 7))
            let length = ADTSHeader(head.span)?.frameByteCount ?? 0
            // Two blocks in one frame: nobody sends that, and it is not taken.
            if index == 10 || index == 11 { damaged.setInteger(head[6] | 1, at: offset + 6) }
            offset += length
        }
        let whole = try await read(bytes, .adts).samples
        let found = try await read(damaged, .adts)
        #expect(found.droppedSampleCount == 2)
        #expect(found.samples.map(\.pts) == (whole[..<10] + whole[12...]).map(\.pts))
    }

    @Test func `channels told by a program config element reach the set-up`() async throws {
        let bytes = try await make(
            ["-t", "1", "-i", SampleMedia.visitor.path],
            ["-map", "0:a", "-af", "aformat=channel_layouts=2.1", "-c:a", "aac", "-f", "mpegts"]
        )
        let demuxed = try await read(bytes, .mpegTS)
        let track = try #require(demuxed.tracks.first)
        #expect(track.channelCount == 3)
        #expect(track.codecPrivate.starts(with: [0x11, 0x80]))
        #expect(track.codecPrivate.count > 8)
        #expect(demuxed.droppedSampleCount == 0)
    }

    @Test func `metadata of MPEG-TS is a data track`() async throws {
        var stream = TransportStream(registration: "KLVA")
        let payloads = (0..<20).map { [UInt8](repeating: UInt8($0), count: 10 + $0) }
        for (index, payload) in payloads.enumerated() {
            stream.packet(pts: 900_000 + Int64(index) * 3003, payload)
        }
        let demuxed = try await read(stream.bytes, .mpegTS)
        #expect(demuxed.error == nil)
        let track = try #require(demuxed.tracks.first)
        #expect(track.kind == .data)
        #expect(track.codecID == "D_SMPTE_KLV")
        #expect(track.isReady)
        #expect(demuxed.samples.map(\.payload) == payloads.map { ByteBuffer(bytes: $0) })
        #expect(demuxed.samples.map(\.pts) == (0..<20).map { 900_000 + $0 * 3003 })
        #expect(demuxed.samples.allSatisfy { $0.isSync })
    }

    @Test func `a private stream of unknown content is left out`() async throws {
        var stream = TransportStream(registration: "XYZW")
        for index in 0..<20 { stream.packet(pts: Int64(index) * 3003, [1, 2, 3]) }
        let demuxed = try await read(stream.bytes, .mpegTS)
        #expect(demuxed.tracks.isEmpty)
        #expect(demuxed.error?.code == .unknownContainer)
        #expect(
            demuxed.error?.message
                == "Reading MPEG-TS: 4136 bytes ended without a track (Data of the codec"
                + " 'bin_data' is not taken); send the container that the media type names"
        )
    }

    @Test func `subtitles that Matroska knows as text are a data track`() async throws {
        let text = try TemporaryDirectory()
        let path = text.file("a.srt")
        try write(
            ByteBuffer(string: "1\n00:00:00,100 --> 00:00:00,600\nHello\n\n"),
            toFile: path
        )
        let bytes = try await make(
            ["-t", "1", "-i", SampleMedia.visitor.path, "-i", path],
            ["-map", "0", "-map", "1", "-c", "copy", "-f", "matroska"]
        )
        let demuxed = try await read(bytes, .matroska)
        let track = try #require(demuxed.tracks.last)
        #expect(track.kind == .data)
        #expect(track.codecID == "S_TEXT/UTF8")
        let samples = demuxed.samples(of: track.index)
        #expect(samples.map { String(buffer: $0.payload) } == ["Hello"])
        // The file's times are shifted by the priming of its sound, 21 ms.
        #expect(samples.map(\.pts) == [121])
        #expect(samples.map(\.duration) == [500])
    }

    private static let h265 = [
        "-map", "0:v", "-vf", "scale=320:-2", "-c:v", "libx265", "-preset", "ultrafast",
    ]

    @Test(arguments: Container.allCases.filter { $0 != .flv })
    func `H.265 is stored alike from every container`(container: Container) async throws {
        let source = try await Fixtures.shared.make(
            ["-t", "4", "-i", SampleMedia.bunny2sGOP.path],
            Self.h265 + [
                "-x265-params", "log-level=none:keyint=25:min-keyint=25:scenecut=0:aud=1:bframes=2",
                "-f", "mp4", "-tag:v", "hvc1",
            ]
        )
        let bytes = try await make(["-i", source.path], ["-c", "copy"] + container.arguments)
        let demuxed = try await read(bytes, container.format)
        #expect(demuxed.error == nil)
        let track = try #require(demuxed.tracks.first)
        #expect(track.codecID == "V_MPEGH/ISO/HEVC")
        #expect(track.width == 320)
        #expect(track.height == 180)
        #expect(track.videoDelay == 2)
        let record = try DecoderConfiguration(record: track.codecPrivate.span, codec: .h265)
        #expect(record.parameterSets.isComplete)
        #expect(record.lengthSize == 4)
        #expect(demuxed.samples.count == 100)
        let sync = demuxed.samples.indices.filter { demuxed.samples[$0].isSync }
        #expect(sync == [0, 25, 50, 75])
        // x265 opens its groups of pictures with a CRA; the first has nothing before it.
        let open = demuxed.samples.indices.filter { demuxed.samples[$0].startsOpenGOP }
        #expect(open == [25, 50, 75])
        for sample in demuxed.samples {
            let bytes = Array(buffer: sample.payload)
            var cursor = LengthPrefixed.Cursor(lengthSize: 4)
            while let range = cursor.nextUnit(in: bytes.span) {
                #expect(!NALCodec.h265.kind(firstByte: bytes[range.lowerBound]).isDropped)
            }
            #expect(!cursor.isMalformed)
        }
    }

    @Test(arguments: [Container.mpegTS, .matroska, .flv, .fragmentedMP4])
    func `an H.264 recovery point opens a group of pictures that may look back`(
        container: Container
    ) async throws {
        let source = try await Fixtures.shared.make(
            ["-t", "4", "-i", SampleMedia.bunny2sGOP.path],
            [
                "-map", "0:v", "-vf", "scale=320:-2", "-c:v", "libx264", "-preset", "veryfast",
                "-x264-params", "keyint=25:min-keyint=25:scenecut=0:open-gop=1:bframes=2:aud=1",
                "-f", "mp4",
            ]
        )
        let bytes = try await make(["-i", source.path], ["-c", "copy"] + container.arguments)
        let demuxed = try await read(bytes, container.format)
        #expect(demuxed.error == nil)
        let sync = demuxed.samples.indices.filter { demuxed.samples[$0].isSync }
        #expect(sync.first == 0)
        #expect(sync.count >= 4)
        let open = demuxed.samples.indices.filter { demuxed.samples[$0].startsOpenGOP }
        #expect(open == Array(sync.dropFirst()))
        for sample in demuxed.samples {
            #expect(!sample.payload.isEmpty && !sample.isCorrupt)
            #expect(
                sample.payload.stored(withoutSets: false).reduce(0) { $0 + 4 + $1.count }
                    == sample.payload.readableBytes
            )
        }
    }
}

extension ByteBuffer {
    fileprivate func prefixed(by first: ByteBuffer) -> ByteBuffer {
        var whole = first
        whole.writeImmutableBuffer(self)
        return whole
    }

    fileprivate var isEmpty: Bool { readableBytes == 0 }
}

import FFmpegMedia
import MediaModel
import NIOCore
import TestSupport
import Testing

struct DemuxerTests {
    @Test(arguments: Container.allCases, SampleMedia.all)
    func `times and sync samples are those that ffprobe lists`(
        container: Container,
        media: SampleMedia
    ) async throws {
        let fixture = try await container.fixture(of: media)
        let expected = try await ProbedPacket.list(fixture.path)
        let read = try await OwnThread.run { Demuxed.read(fixture.bytes, container.format) }
        #expect(read.error == nil)
        #expect(read.droppedSampleCount == 0)
        #expect(read.skippedStreams.isEmpty)
        #expect(read.tracks.count == 2)
        for track in read.tracks {
            let found = read.samples(of: track.index).map { ProbedPacket($0) }
            var wanted = expected[track.index] ?? []
            try #require(found.count == wanted.count)
            #expect(track.statesDecodeTimes == (container.format != .matroska))
            if !track.statesDecodeTimes, track.kind == .video {
                // What ffprobe lists is inferred by a decoder.
                for index in wanted.indices { wanted[index].dts = nil }
            }
            let firstDifference = zip(found, wanted).enumerated().first { $1.0 != $1.1 }
            #expect(firstDifference == nil, "\(track.codecID)")
        }
    }

    @Test(arguments: Container.allCases, SampleMedia.all)
    func `tracks are known when the demuxer opens`(
        container: Container,
        media: SampleMedia
    ) async throws {
        let bytes = try await container.fixture(of: media).bytes
        let setUps = try await SourceSamples.setUps(of: media)
        let tracks = try await OwnThread.run {
            try Demuxer(contents: bytes, format: container.format).tracks
        }
        try #require(tracks.map(\.kind).sorted { $0.rawValue < $1.rawValue } == [.video, .audio])
        let video = try #require(tracks.first { $0.kind == .video })
        #expect(video.codecID == "V_MPEG4/ISO/AVC")
        #expect(video.width == media.width)
        #expect(video.height == media.height)
        #expect(video.videoDelay == media.videoDelay)
        #expect(video.isReady)
        #expect(video.codecPrivate == setUps.video)
        // A tenth of a second of MPEG-TS is not always enough to be sure of the rate.
        if container != .mpegTS || video.averageFrameDuration != 0 {
            #expect(video.timeBase.rescale(video.averageFrameDuration, to: .milliseconds) == 40)
        }
        let audio = try #require(tracks.first { $0.kind == .audio })
        #expect(audio.codecID == "A_AAC")
        #expect(audio.sampleRate == 48_000)
        #expect(audio.channelCount == media.channelCount)
        #expect(audio.isReady)
        // MPEG-TS has no place for the extension at the end of the configuration.
        #expect(audio.codecPrivate.prefix(2) == setUps.audio.prefix(2))
        switch container.format {
        case .mpegTS: #expect(tracks.allSatisfy { $0.timeBase == .mpegTS })
        case .matroska, .flv: #expect(tracks.allSatisfy { $0.timeBase == .milliseconds })
        default:
            #expect(video.timeBase == TimeBase(numerator: 1, denominator: 12_800))
            #expect(audio.timeBase == .audio(sampleRate: 48_000))
        }
    }

    @Test(arguments: Container.allCases, SampleMedia.all)
    func `payloads are the samples of the source`(
        container: Container,
        media: SampleMedia
    ) async throws {
        let bytes = try await container.fixture(of: media).bytes
        let source = try await SourceSamples.read(media)
        let read = try await OwnThread.run { Demuxed.read(bytes, container.format) }
        for track in read.tracks {
            let found = read.samples(of: track.index)
            if track.kind == .audio {
                #expect(found.map(\.payload) == source.audio)
                continue
            }
            // MPEG-TS repeats the parameter sets in band; nothing else may differ.
            let repeatsSets = container == .mpegTS
            #expect(found.count == source.video.count)
            #expect(
                zip(found, source.video).allSatisfy { sample, original in
                    sample.payload.stored(withoutSets: repeatsSets)
                        == original.stored(withoutSets: repeatsSets)
                }
            )
            #expect(found.indices.filter { found[$0].isSync } == media.syncSamples)
            if repeatsSets {
                #expect(found.allSatisfy { $0.payload.hasSets == $0.isSync })
            }
            #expect(found.allSatisfy { !$0.startsOpenGOP && !$0.isCorrupt })
            #expect(found.allSatisfy { $0.newCodecPrivate == nil })
        }
    }

    @Test(arguments: Container.allCases)
    func `bytes in any pieces give the same samples`(container: Container) async throws {
        let bytes = try await container.smallFixture().bytes
        let whole = try await OwnThread.run { Demuxed.read(bytes, container.format) }
        #expect(whole.error == nil)
        #expect(whole.samples.count > 70)
        for size in [1, 3, 188, 1000, 65_536] {
            let pipe = BytePipe(capacity: 4096)
            async let read = OwnThread.run { Demuxed.read(pipe, container.format) }
            var rest = bytes
            while let piece = rest.readSlice(length: min(size, rest.readableBytes)),
                piece.readableBytes > 0
            {
                try await pipe.write(piece)
            }
            pipe.finish()
            let pieces = try await read
            #expect(pieces.tracks == whole.tracks)
            #expect(pieces.samples.map(\.payload) == whole.samples.map(\.payload))
            #expect(
                pieces.samples.map { ProbedPacket($0) } == whole.samples.map { ProbedPacket($0) }
            )
            #expect(pipe.bytesRead == pipe.bytesWritten)
        }
    }

    @Test(arguments: Container.allCases)
    func `every sample lasts until the next of its track`(container: Container) async throws {
        let bytes = try await container.fixture(of: .bunny2sGOP).bytes
        let read = try await OwnThread.run { Demuxed.read(bytes, container.format) }
        for track in read.tracks {
            // Matroska and FLV round to milliseconds.
            let tolerance: Int64 = track.timeBase == .milliseconds ? 1 : 0
            let samples = read.samples(of: track.index)
            for (sample, following) in zip(samples, samples.dropFirst()) {
                guard let dts = sample.dts, let next = following.dts else { continue }
                // The first FLV audio tag overlaps the second: its time may not be negative.
                if track.kind == .audio, sample.pts == samples[0].pts { continue }
                #expect(abs(sample.duration - (next - dts)) <= tolerance)
            }
        }
    }
}

import FragmentLog
import Ingest
import LogTestSupport
import Matroska
import MediaModel
import NIOCore
import TestSupport
import Testing

@Suite struct PushSessionTests {
    static let containers = ["mpegts", "matroska", "flv", "mp4"]

    @Test(arguments: containers + ["matroska-file"], [SampleMedia.visitor, .bunny2sGOP])
    func `a push becomes one fragment per group of pictures without loss`(
        format: String,
        media: SampleMedia
    ) async throws {
        let bench = try await IngestBench()
        let body = try await Remux.make(media, format)
        let outcome = try await bench.push(body)
        #expect(outcome.error == nil)
        #expect(outcome.summary.gaps == [])
        let records = try await bench.records()
        #expect(outcome.summary.fragmentCount == records.count)
        #expect(records.count == media.syncSamples.count)
        #expect(outcome.summary.sizeBytes == records.reduce(0) { $0 + $1.servedLength })
        #expect(outcome.summary.lastFragment == records.last?.number)
        #expect(records.first?.producer == IngestBench.start)
        #expect(records.allSatisfy { $0.clockSource == .start && $0.flags.isEmpty })
        for (earlier, later) in zip(records, records.dropFirst()) {
            #expect(earlier.producerEnd == later.producer)
            #expect(earlier.durationMilliseconds == 2000)
        }
        var samples: [SampleEntry] = []
        for record in records {
            let table = try await bench.table(record)
            samples += table.samples
            #expect(table.samples[0].isSync)
            #expect(table.samples[0].track == 1)
        }
        #expect(samples.filter { $0.track == 1 }.count == media.videoSampleCount)
        #expect(samples.filter { $0.track == 2 }.count == media.audioSampleCount)
        for track in [UInt8(1), 2] {
            let times = samples.filter { $0.track == track }.map(\.dts)
            #expect(zip(times, times.dropFirst()).allSatisfy { $0 < $1 })
        }
        let document = try await bench.document(records)
        for kind in ["v", "a"] {
            #expect(
                try await Remux.frameHashes(document, kind) == Remux.frameHashes(body, kind)
            )
        }
        await bench.close()
    }

    @Test(arguments: containers)
    func `source times are in the sample table to the tick`(format: String) async throws {
        let bench = try await IngestBench()
        let body = try await Remux.make(.visitor, format)
        _ = try await bench.push(body)
        var samples: [SampleEntry] = []
        var bases: [UInt8: TimeBase] = [:]
        for record in try await bench.records() {
            let table = try await bench.table(record)
            samples += table.samples
            for track in table.tracks { bases[track.number] = track.timeBase }
        }
        let video = try await Remux.packets(body, "v")
        #expect(samples.filter { $0.track == 1 }.map(\.pts) == video.map(\.pts))
        if format != "matroska" {
            #expect(samples.filter { $0.track == 1 }.map(\.dts) == video.map(\.dts))
        } else {
            // Its own decode times: the presentation times in order, two frames late.
            let sorted = video.map(\.pts).sorted()
            let made = samples.filter { $0.track == 1 }.map(\.dts)
            #expect(Array(made.dropFirst(2)) == Array(sorted.dropLast(2)))
            #expect(samples.allSatisfy { $0.dts <= $0.pts })
        }
        let audio = samples.filter { $0.track == 2 }
        let base = try #require(bases[2])
        let stated = try await Remux.packets(body, "a").map(\.pts)
        switch format {
        case "matroska", "flv":
            #expect(base == TimeBase.audio(sampleRate: 48_000))
            #expect(audio.map { base.milliseconds($0.pts) } == stated)
            let steps = zip(audio, audio.dropFirst()).map { $1.pts - $0.pts }
            #expect(steps.suffix(700).allSatisfy { $0 == 1024 })
        default:
            #expect(audio.map(\.pts) == stated)
        }
        await bench.close()
    }

    @Test func `a transport stream that passes zero goes on`() async throws {
        let bench = try await IngestBench()
        // 33 bits of 1/90000 s end after 95 443.7 s.
        let body = try await Remux.make(.visitor, "mpegts", ["-output_ts_offset", "95436"])
        let outcome = try await bench.push(body)
        #expect(outcome.error == nil)
        #expect(outcome.summary.gaps == [])
        let records = try await bench.records()
        #expect(records.count == 8)
        #expect(records.allSatisfy { $0.flags.isEmpty && $0.durationMilliseconds == 2000 })
        #expect(records.last?.producer == IngestBench.start.advanced(byMilliseconds: 14_000))
        await bench.close()
    }

    @Test func `open groups of pictures are flagged`() async throws {
        let bench = try await IngestBench()
        let body = try await Program.succeed(
            [
                "ffmpeg", "-v", "error", "-nostdin", "-i", SampleMedia.visitor.path, "-t", "6",
                "-vf", "scale=160:-2", "-c:v", "libx265", "-preset", "ultrafast", "-x265-params",
                "log-level=none:keyint=50:min-keyint=50:bframes=3:open-gop=1", "-c:a", "libopus",
                "-f", "matroska", "-",
            ]
        )
        let outcome = try await bench.push(body)
        #expect(outcome.error == nil)
        let records = try await bench.records()
        #expect(records.map { $0.flags.contains(.openGOP) } == [false, true, true])
        #expect(records.allSatisfy { !$0.flags.contains(.dtsAdjusted) })
        var samples: [SampleEntry] = []
        for record in records { samples += try await bench.table(record).samples }
        // Opus at 48 kHz in frames of 20 ms, in spite of the container's milliseconds.
        let audio = samples.filter { $0.track == 2 }
        #expect(zip(audio, audio.dropFirst()).suffix(250).allSatisfy { $1.pts - $0.pts == 960 })
        let stated = try await Remux.packets(body, "v").map(\.pts)
        #expect(samples.filter { $0.track == 1 }.map(\.pts) == stated)
        await bench.close()
    }

    @Test func `Opus keeps its distance from the pictures from push to push`() async throws {
        var body = try await Program.succeed([
            "ffmpeg", "-v", "error", "-nostdin", "-i", SampleMedia.visitor.path, "-t", "6", "-c:v",
            "copy", "-c:a", "libopus", "-f", "matroska", "-",
        ])
        func distances(_ document: ByteBuffer) async throws -> [Int64] {
            let start = try #require(try await Remux.packets(document, "v").first).pts
            return try await Remux.packets(document, "a").map { $0.pts - start }
        }
        let stated = try await distances(body)
        // The first packet comes before the pictures: it is what a decoder drops.
        #expect(try #require(stated.first) < 0)
        for _ in 0..<3 {
            let bench = try await IngestBench()
            #expect(try await bench.push(body).error == nil)
            body = try await bench.document(try await bench.records())
            #expect(try await distances(body) == stated)
            await bench.close()
        }
    }

    @Test(arguments: ["mp2", "libmp3lame", "ac3", "eac3"])
    func `sound that begins late in a transport stream is stored`(encoder: String) async throws {
        let body = try await Program.succeed([
            "ffmpeg", "-v", "error", "-nostdin", "-t", "10", "-i", SampleMedia.visitor.path,
            "-itsoffset", "4", "-t", "6", "-i", SampleMedia.visitor.path, "-map", "0:v", "-map",
            "1:a", "-c:v", "copy", "-c:a", encoder, "-ar", "48000", "-ac", "2", "-f", "mpegts", "-",
        ])
        let bench = try await IngestBench()
        let outcome = try await bench.push(body)
        #expect(outcome.error == nil)
        #expect(outcome.summary.gaps == [])
        let records = try await bench.records()
        var count = 0
        for record in records {
            count += try await bench.table(record).samples.filter { $0.track == 2 }.count
        }
        #expect(count == (try await Remux.packets(body, "a")).count)
        let last = try #require(records.last { $0.durationMilliseconds == 2000 })
        let header = try DocumentHeader.parse(try await bench.stream.header(of: last).bytes)
        #expect(header.tracks.map(\.sampleRate) == [0, 48_000])
        #expect(header.tracks.map(\.channelCount) == [0, 2])
        let document = try await bench.document([last])
        #expect(try await !Remux.frameHashes(document, "a").isEmpty)
        await bench.close()
    }

    @Test func `frames that cannot be read are counted in a gap`() async throws {
        var body = try await Program.succeed([
            "ffmpeg", "-v", "error", "-nostdin", "-i", SampleMedia.visitor.path, "-map", "0:a",
            "-c", "copy", "-f", "adts", "-",
        ])
        // Frames of more than one block are not taken: their times cannot be told.
        var offset = body.readerIndex
        for index in 0..<400 {
            guard let head = body.getBytes(at: offset, length: 7) else { break }
            if [100, 101, 300].contains(index) { body.setInteger(head[6] | 1, at: offset + 6) }
            offset += Int(head[3] & 3) << 11 | Int(head[4]) << 3 | Int(head[5]) >> 5
        }
        let bench = try await IngestBench()
        let outcome = try await bench.push(body)
        #expect(outcome.error == nil)
        #expect(outcome.summary.gaps.map(\.reason) == [.refused])
        #expect(outcome.summary.gaps.map(\.sampleCount) == [3])
        let stored = try await bench.records().reduce(0) { $0 + $1.sampleCount }
        #expect(stored == UInt32(SampleMedia.visitor.audioSampleCount) - 3)
        await bench.close()
    }

    @Test func `a stream that is not kept is told as soon as it is known`() async throws {
        let bench = try await IngestBench()
        let lines = LogLines()
        let body = try await Program.succeed([
            "ffmpeg", "-v", "error", "-nostdin", "-i", SampleMedia.visitor.path, "-c:v", "copy",
            "-c:a", "copy", "-mpegts_flags", "+latm", "-f", "mpegts", "-",
        ])
        let session = try PushSession(
            stream: bench.stream,
            request: PushRequest(peer: "test"),
            logger: lines.logger
        )
        let (chunks, input) = AsyncStream.makeStream(of: ByteBuffer.self)
        async let outcome = session.run(chunks)
        input.yield(body.getSlice(at: body.readerIndex, length: 300_000) ?? ByteBuffer())
        for await _ in session.events {
            // The body goes on, maybe for days.
            let told = lines.all.filter { $0.hasPrefix("a stream of a push is not kept") }
            #expect(told.count == 1)
            #expect(told.first?.contains("LATM") == true)
            break
        }
        input.finish()
        #expect(await outcome.summary.fragmentCount > 0)
        await bench.close()
    }

    @Test func `a long group of pictures is one fragment when it is not too long`() async throws {
        let bench = try await IngestBench()
        let outcome = try await bench.push(try await Remux.make(.bunny, "mpegts"))
        #expect(outcome.error == nil)
        #expect(outcome.summary.fragmentCount == 1)
        #expect(try await bench.records()[0].sampleCount == 132 + 249)
        await bench.close()
    }

    @Test func `sound alone is pushed in fragments of two seconds`() async throws {
        let bench = try await IngestBench()
        let outcome = try await bench.push(try await Remux.make(.visitor, "mpegts", ["-vn"]))
        #expect(outcome.error == nil)
        #expect(outcome.summary.fragmentCount == 8)
        #expect(try await bench.records().allSatisfy { $0.flags.isEmpty })
        await bench.close()
    }

    @Test func `each fragment decodes alone`() async throws {
        let bench = try await IngestBench()
        _ = try await bench.push(try await Remux.make(.bunny2sGOP, "mpegts"))
        for record in try await bench.records() {
            let hashes = try await Remux.frameHashes(try await bench.document([record]), "v")
            #expect(hashes.count == 50)
        }
        await bench.close()
    }

    @Test func `two recordings in one body go on with a discontinuity`() async throws {
        let bench = try await IngestBench()
        var body = try await Remux.make(.visitor, "mpegts")
        body.writeImmutableBuffer(body)
        let outcome = try await bench.push(body)
        #expect(outcome.error == nil)
        let records = try await bench.records()
        #expect(records.count == 16)
        #expect(records.map { $0.flags.contains(.discontinuity) } == (0..<16).map { $0 == 8 })
        #expect(outcome.summary.gaps.map(\.reason) == [.timestampJump])
        #expect(records.reduce(0) { $0 + $1.sampleCount } == 2 * (400 + 751))
        #expect(records[8].producer == records[7].producerEnd)
        await bench.close()
    }

    @Test func `a change of parameters gets a header of its own`() async throws {
        let bench = try await IngestBench()
        var body = try await Remux.make(.visitor, "mpegts")
        body.writeImmutableBuffer(try await Remux.make(.bunny2sGOP, "mpegts"))
        let outcome = try await bench.push(body)
        #expect(outcome.error == nil)
        let records = try await bench.records()
        #expect(records.count == 13)
        let first = try DocumentHeader.parse(try await bench.stream.header(of: records[7]).bytes)
        let second = try DocumentHeader.parse(try await bench.stream.header(of: records[8]).bytes)
        #expect(first.tracks[0].width == 960)
        #expect(second.tracks[0].width == 1280)
        #expect(first.tracks[0].codecPrivate != second.tracks[0].codecPrivate)
        await bench.close()
    }

    @Test func `the fragments of a push are told one by one`() async throws {
        let bench = try await IngestBench()
        let session = try PushSession(
            stream: bench.stream,
            request: PushRequest(peer: "test"),
            logger: IngestBench.logger
        )
        async let told: [FragmentNumber] = session.events.reduce(into: []) { numbers, event in
            if case .persisted(let record) = event { numbers.append(record.number) }
        }
        let body = try await Remux.make(.visitor, "matroska")
        let outcome = await session.run(ChunkedBody(body, chunk: 1000))
        #expect(outcome.error == nil)
        #expect(await told == (try await bench.records()).map(\.number))
        await bench.close()
    }

    @Test func `events that nobody reads are counted and stop nobody`() async throws {
        let bench = try await IngestBench()
        var limits = PushLimits()
        limits.eventsMax = 3
        let outcome = try await bench.push(
            try await Remux.make(.visitor, "matroska"),
            limits: limits
        )
        #expect(outcome.summary.fragmentCount == 8)
        #expect(outcome.summary.undeliveredEventCount == 5)
        await bench.close()
    }

    @Test func `events that nobody wants are not kept`() async throws {
        let bench = try await IngestBench()
        var request = PushRequest(peer: "test")
        request.wantsEvents = false
        var limits = PushLimits()
        limits.eventsMax = 3
        let session = try PushSession(
            stream: bench.stream,
            request: request,
            limits: limits,
            logger: IngestBench.logger
        )
        let outcome = await session.run(
            ChunkedBody(try await Remux.make(.visitor, "matroska"), chunk: 10_000)
        )
        #expect(outcome.summary.fragmentCount == 8)
        #expect(outcome.summary.undeliveredEventCount == 0)
        for await event in session.events { Issue.record("\(event)") }
        await bench.close()
    }

    @Test func `samples are there for followers before their fragment is complete`() async throws {
        let bench = try await IngestBench()
        let (body, input) = AsyncStream.makeStream(of: ByteBuffer.self)
        let session = try PushSession(
            stream: bench.stream,
            request: PushRequest(peer: "test"),
            logger: IngestBench.logger
        )
        var bytes = try await Remux.make(.visitor, "mpegts")
        async let outcome = session.run(body)
        // Less than one group of pictures, but enough for the demuxer to know the tracks.
        if let part = bytes.readSlice(length: 60_000) { input.yield(part) }
        var cursor = try await bench.stream.cursor(.newest)
        guard case .open(let fragment) = try await cursor.next(follow: true) else {
            Issue.record("no fragment is open")
            return
        }
        var seen = 0
        while seen < 20_000 {
            seen += try await fragment.read(from: seen, atMost: 100_000).bytes.readableBytes
        }
        #expect(bench.stream.head == nil)
        input.yield(bytes)
        input.finish()
        #expect(await outcome.summary.fragmentCount == 8)
        await bench.close()
    }
}

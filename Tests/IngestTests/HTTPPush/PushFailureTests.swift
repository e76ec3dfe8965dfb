import FragmentLog
import Ingest
import LogTestSupport
import MediaModel
import NIOCore
import TestSupport
import Testing

@Suite struct PushFailureTests {
    @Test func `a body that is refused leaves a gap on the server clock`() async throws {
        let bench = try await IngestBench()
        let before = bench.log.configuration.clock.now()
        let refused = [
            ByteBuffer(string: "#EXTM3U\n#EXT-X-VERSION:7\n"),
            ByteBuffer(repeating: 0x47, count: 188) + ByteBuffer(repeating: 0, count: 50_000),
        ]
        for body in refused {
            let outcome = try await bench.push(body)
            #expect(outcome.error != nil)
            #expect(outcome.summary.gaps.map(\.clock) == [.server])
        }
        let gaps = try await bench.gaps(.server)
        #expect(gaps.map(\.reason) == [.refused, .refused])
        #expect(gaps.allSatisfy { $0.start >= before && $0.session == 0 })
        #expect(try await bench.gaps().isEmpty)
        await bench.close()
    }

    @Test func `an empty body is refused`() async throws {
        let bench = try await IngestBench()
        let outcome = try await bench.push(ByteBuffer())
        #expect(outcome.error?.code == .emptyBody)
        #expect(outcome.summary == PushSummary())
        await bench.close()
    }

    @Test func `a body of no known container is refused by its first bytes`() async throws {
        let bench = try await IngestBench()
        let outcome = try await bench.push(ByteBuffer(string: "#EXTM3U\n#EXT-X-VERSION:7\n"))
        #expect(outcome.error?.code == .unknownContainer)
        #expect(
            outcome.error?.message
                == "The body begins with 23 45 58 54 4d 33 55 0a, which is no container that is understood; send MPEG-TS, Matroska or WebM, FLV or fragmented MP4."
        )
        #expect(try await bench.records().isEmpty)
        await bench.close()
    }

    @Test(arguments: ["mpegts", "matroska", "flv", "mp4"])
    func `a container without media is refused`(format: String) async throws {
        let bench = try await IngestBench()
        let body = try await Remux.make(.visitor, format)
        var head = body.getSlice(at: 0, length: 400) ?? ByteBuffer()
        head.writeRepeatingByte(0x55, count: 50_000)
        let outcome = try await bench.push(head)
        let code = try #require(outcome.error?.code)
        #expect([.garbage, .unknownContainer, .truncated, .noTimestamps].contains(code))
        #expect(outcome.summary.fragmentCount == 0)
        await bench.close()
    }

    @Test func `more tracks than allowed are refused`() async throws {
        let bench = try await IngestBench()
        var limits = PushLimits()
        limits.trackCountMax = 1
        let outcome = try await bench.push(try await Remux.make(.visitor, "mp4"), limits: limits)
        #expect(outcome.error?.code == .tooManyTracks)
        await bench.close()
    }

    @Test func `a sample larger than a fragment is refused`() async throws {
        let bench = try await IngestBench()
        var limits = PushLimits()
        limits.cutter.maximumBytes = 5000
        let outcome = try await bench.push(try await Remux.make(.visitor, "mp4"), limits: limits)
        #expect(outcome.error?.code == .fragmentTooLarge)
        await bench.close()
    }

    @Test(arguments: ["mpegts", "matroska", "flv", "mp4"])
    func `a lost connection keeps whole fragments and the part that arrived`(
        format: String
    ) async throws {
        let bench = try await IngestBench()
        let body = try await Remux.make(.visitor, format)
        let part = body.getSlice(at: 0, length: body.readableBytes * 45 / 100) ?? ByteBuffer()
        let outcome = try await bench.push(part, breaksWith: ConnectionLost())
        #expect(outcome.error?.code == .disconnected)
        let records = try await bench.records()
        let whole = records.filter { !$0.flags.contains(.incomplete) }
        #expect(whole.count == outcome.summary.fragmentCount)
        #expect(whole.count >= 2)
        #expect(records.count == whole.count + 1)
        #expect(records.last?.flags == .incomplete)
        #expect(outcome.summary.gaps.map(\.reason) == [.disconnect])
        #expect(outcome.summary.gaps.first?.start == records.last?.producerEnd)
        #expect(try await bench.gaps().map(\.reason) == [.disconnect])
        await bench.close()
    }

    @Test func `a push without a byte for too long is ended`() async throws {
        let bench = try await IngestBench()
        let (body, input) = AsyncStream.makeStream(of: ByteBuffer.self)
        var limits = PushLimits()
        limits.idleMs = 50
        let session = try PushSession(
            stream: bench.stream,
            request: PushRequest(peer: "test"),
            limits: limits,
            logger: IngestBench.logger
        )
        let bytes = try await Remux.make(.visitor, "mpegts")
        input.yield(bytes.getSlice(at: 0, length: 250_000) ?? ByteBuffer())
        let outcome = await session.run(body)
        #expect(outcome.error?.code == .idle)
        #expect(outcome.summary.fragmentCount >= 1)
        #expect(outcome.summary.gaps.map(\.reason) == [.disconnect])
        #expect(try await bench.records().last?.flags == .incomplete)
        await bench.close()
    }

    @Test func `a push that never sends a byte is ended`() async throws {
        let bench = try await IngestBench()
        let (body, _) = AsyncStream.makeStream(of: ByteBuffer.self)
        var limits = PushLimits()
        limits.idleMs = 20
        let session = try PushSession(
            stream: bench.stream,
            request: PushRequest(peer: "test"),
            limits: limits,
            logger: IngestBench.logger
        )
        #expect(await session.run(body).error?.code == .idle)
        await bench.close()
    }

    @Test(arguments: ["matroska", "flv", "mp4", "mpegts"])
    func `a file cut anywhere keeps its whole fragments`(format: String) async throws {
        let body = try await Remux.make(.visitor, format)
        var random = SplitMix(seed: 7)
        var cleanCount = 0
        for _ in 0..<6 {
            let bench = try await IngestBench()
            let length = Int.random(in: 1..<body.readableBytes, using: &random)
            let outcome = try await bench.push(body.getSlice(at: 0, length: length) ?? ByteBuffer())
            let records = try await bench.records()
            let whole = records.filter { !$0.flags.contains(.incomplete) }
            #expect(whole.count == outcome.summary.fragmentCount)
            let expected = 8 * length / body.readableBytes
            #expect(whole.count >= expected - 2, "\(length) of \(body.readableBytes)")
            for record in whole { _ = try await bench.table(record) }
            // Blocks and packets may end anywhere; a cut inside one is called by its name.
            if let error = outcome.error {
                #expect([.truncated, .unknownContainer, .garbage].contains(error.code))
                #expect(records.dropLast().allSatisfy { $0.flags.isEmpty })
            }
            if length > 20_000, outcome.error == nil { cleanCount += 1 }
            await bench.close()
        }
        #expect(cleanCount <= 1)
    }

    @Test func `a second file behind the first is told to the producer`() async throws {
        let bench = try await IngestBench()
        let first = try await Program.succeed(
            [
                "sh", "-c",
                "cd $(mktemp -d) && ffmpeg -v error -nostdin -i \"$0\" -c copy -movflags +faststart a.mp4 && cat a.mp4 && rm -r \"$PWD\"",
                SampleMedia.visitor.path,
            ]
        )
        for chunk in [10_000, 10_000_000] {
            let outcome = try await bench.push(first + first, chunk: chunk)
            #expect(outcome.error?.code == .garbage)
            #expect(outcome.summary.fragmentCount == 8)
            #expect(outcome.summary.gaps.map(\.reason) == [.refused])
        }
        #expect(try await bench.records().allSatisfy { $0.flags.isEmpty })
        let alone = try await bench.push(first)
        #expect(alone.error == nil)
        await bench.close()
    }

    @Test func `the newer of two producers gets the stream and the older one is told`() async throws
    {
        let bench = try await IngestBench()
        let bytes = try await Remux.make(.visitor, "mpegts")
        let (old, oldInput) = AsyncStream.makeStream(of: ByteBuffer.self)
        let older = try PushSession(
            stream: bench.stream,
            request: PushRequest(peer: "older", startTimestamp: IngestBench.start),
            logger: IngestBench.logger
        )
        async let olderOutcome = older.run(old)
        oldInput.yield(bytes.getSlice(at: 0, length: 200_000) ?? ByteBuffer())
        while bench.stream.head == nil { await Task.yield() }
        // Silent: it takes nothing over yet.
        let (new, newInput) = AsyncStream.makeStream(of: ByteBuffer.self)
        let newer = try PushSession(
            stream: bench.stream,
            request: PushRequest(
                peer: "newer",
                startTimestamp: IngestBench.start.advanced(byMilliseconds: 100_000)
            ),
            logger: IngestBench.logger
        )
        async let newerOutcome = newer.run(new)
        newInput.yield(bytes)
        newInput.finish()
        // What is open is brought to its end; its next fragment is refused.
        var cursor = try await bench.stream.cursor(.newest)
        while case .open(let fragment) = try await cursor.next(follow: true) {
            if fragment.opening.producer.milliseconds >= IngestBench.start.milliseconds + 100_000 {
                break
            }
        }
        oldInput.yield(bytes.getSlice(at: 200_000, length: 300_000) ?? ByteBuffer())
        let first = await olderOutcome
        let second = await newerOutcome
        #expect(first.error?.code == .takenOver)
        #expect(second.error == nil)
        #expect(second.summary.fragmentCount == 8)
        let records = try await bench.records()
        #expect(records.count == first.summary.fragmentCount + 8)
        #expect(records.allSatisfy { $0.flags.isEmpty })
        oldInput.finish()
        await bench.close()
    }

    @Test func `producers that keep fighting are refused after the third takeover`() async throws {
        let bench = try await IngestBench()
        let bytes = try await Remux.make(.visitor, "mpegts")
        var inputs: [AsyncStream<ByteBuffer>.Continuation] = []
        var outcomes: [Task<PushOutcome, Never>] = []
        var refused: IngestError?
        for index in 0..<6 {
            let (body, input) = AsyncStream.makeStream(of: ByteBuffer.self)
            do {
                let session = try PushSession(
                    stream: bench.stream,
                    request: PushRequest(peer: "\(index)"),
                    logger: IngestBench.logger
                )
                let seen = try await bench.stream.cursor(.newest)
                outcomes.append(Task { await session.run(body) })
                inputs.append(input)
                input.yield(bytes.getSlice(at: 0, length: 100_000) ?? ByteBuffer())
                // Either its fragment opens, or it is refused at its first sample.
                var cursor = seen
                if index < 4 { _ = try await cursor.next(follow: true) }
                if index == 4 { refused = await outcomes[4].value.error }
            } catch let error as IngestError {
                refused = error
                break
            }
        }
        #expect(refused?.code == .contention)
        for input in inputs { input.finish() }
        for outcome in outcomes { _ = await outcome.value }
        #expect(try await bench.records().allSatisfy { $0.sampleCount > 0 })
        await bench.close()
    }

    @Test func `a disk that fails ends the push with the reason`() async throws {
        let bench = try await IngestBench()
        try await bench.breakDisk()
        let outcome = try await bench.push(try await Remux.make(.visitor, "mpegts"))
        #expect(outcome.error?.code == .ioError)
        #expect(outcome.summary.fragmentCount == 0)
        await bench.close()
    }

    @Test func `a full disk refuses a push before its body is read`() async throws {
        let bench = try await IngestBench { $0.freeBytesMin = .max }
        let error = #expect(throws: IngestError.self) {
            try PushSession(
                stream: bench.stream,
                request: PushRequest(peer: "test"),
                logger: IngestBench.logger
            )
        }
        #expect(error?.code == .diskFull)
        await bench.close()
    }

    @Test func `a deleted stream ends its pushes`() async throws {
        let bench = try await IngestBench()
        let (body, input) = AsyncStream.makeStream(of: ByteBuffer.self)
        let session = try PushSession(
            stream: bench.stream,
            request: PushRequest(peer: "test"),
            logger: IngestBench.logger
        )
        async let outcome = session.run(body)
        let bytes = try await Remux.make(.visitor, "mpegts")
        input.yield(bytes.getSlice(at: 0, length: 200_000) ?? ByteBuffer())
        while bench.stream.head == nil { await Task.yield() }
        try await bench.log.deleteStream(.test())
        input.yield(bytes.getSlice(at: 200_000, length: 200_000) ?? ByteBuffer())
        #expect(await outcome.error?.code == .streamDeleted)
        input.finish()
        await bench.close()
    }
}

extension ByteBuffer {
    fileprivate static func + (first: ByteBuffer, second: ByteBuffer) -> ByteBuffer {
        var whole = first
        whole.writeImmutableBuffer(second)
        return whole
    }
}

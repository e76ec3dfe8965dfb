import FragmentLog
import LogTestSupport
import Matroska
import MediaModel
import NIOCore
@testable import Playback
import TestSupport
import Testing

/// What readers get of footage that is damaged, deleted or expires before or while they read it.
@Suite(.timeLimit(.minutes(3))) struct LossTests {
    private func damage(
        _ record: FragmentRecord,
        in place: TemporaryLog,
        _ stream: StreamLog
    )
        throws
    {
        let path = place.directory.file(
            "data/streams/\(stream.id)/\(record.segment.first).mkv"
        )
        var bytes = try contents(ofFile: path)
        let index = Int(record.extent(of: .cluster).offset) + 1000
        let byte = try #require(bytes.getInteger(at: index, as: UInt8.self))
        bytes.setInteger(byte ^ 1, at: index)
        try write(bytes, toFile: path)
    }

    @Test func `a damaged fragment is named, and not one byte of it is given out`() async throws {
        let source = try await SourceDocument.bunny.value
        let place = try TemporaryLog()
        try await withStream(place) { stream, _ in
            let records = try await TestProducer(source, to: stream).sendAll()
            try damage(records[2], in: place, stream)
            var reader = try await stream.range()
            var output = ByteBuffer()
            do {
                while let piece = try await reader.next() { output.writeImmutableBuffer(piece) }
                Issue.record("the damaged fragment was read")
            } catch let error as PlaybackError {
                #expect(error.code == .damaged)
                #expect(error.message.contains(records[2].number.description))
            }
            let before = try await stream.range(nil, records[1].producer.milliseconds + 1)
                .collected()
            #expect(output == before)
            #expect(try ReadDocument(output).clusters.count == 2)
            let record = try #require(try await stream.fragment(records[2].number))
            await #expect {
                try await FragmentDocument(stream: stream, record: record)
            } throws: {
                ($0 as? PlaybackError)?.code == .damaged
            }

            let media = try await KVSMedia(
                stream: stream,
                start: .earliest,
                silenceMilliseconds: 1
            )
            let found = documents(try await media.collected())
            #expect(found.count == 3)
            #expect(
                found.last
                    == TagsWriter.errorDocument(
                        fragmentNumber: records[2].number.description,
                        id: 5000,
                        code: "INTERNAL_ERROR"
                    )
            )
        }
    }

    @Test func `deleting the stream lets a reader finish its fragment and no more`() async throws {
        let source = try await SourceDocument.bunny.value
        try await withStream { stream, log in
            let records = try await TestProducer(source, to: stream).sendAll()
            let whole = try await stream.range().collected()
            var range = try await stream.range()
            var follower = try await stream.follow(records[0].producer.milliseconds)
            var media = try await KVSMedia(stream: stream, start: .earliest)
            let all = try await KVSMedia(stream: stream, start: .earliest, silenceMilliseconds: 1)
                .collected()
            var outputs = [ByteBuffer(), ByteBuffer(), ByteBuffer()]
            try await range.read(atLeast: 1, into: &outputs[0])
            try await follower.read(atLeast: 1, into: &outputs[1])
            try await media.read(atLeast: 1, into: &outputs[2])
            try await log.deleteStream(.test())
            await #expect {
                while let piece = try await range.next() { outputs[0].writeImmutableBuffer(piece) }
            } throws: {
                ($0 as? PlaybackError)?.code == .gone
            }
            outputs[1].writeImmutableBuffer(try await follower.collected())
            outputs[2].writeImmutableBuffer(try await media.collected())
            let first = try ReadDocument(outputs[0])
            #expect(first.clusters.count == 1)
            #expect(whole.starts(with: outputs[0]))
            #expect(outputs[1] == outputs[0])
            #expect(documents(outputs[2]) == [documents(all)[0]])
        }
    }

    @Test func `what expires before its turn is passed over`() async throws {
        let source = try await SourceDocument.bunny.value
        let clock = SteppedClock(Timestamp(milliseconds: SourceDocument.start))
        var place = try TemporaryLog(clock: clock)
        // Every fragment has a log segment of its own.
        place.configuration.roll.bytes = 1
        place.configuration.sweepMilliseconds = 3_600_000
        try await withStream(place, retentionHours: 1) { stream, log in
            let producer = try TestProducer(source, to: stream)
            for index in 0...3 {
                try await producer.send(index)
                clock.pass(milliseconds: index == 2 ? 3_000_000 : 1000)
            }
            var range = try await stream.range()
            var media = try await KVSMedia(stream: stream, start: .earliest, silenceMilliseconds: 1)
            var outputs = [ByteBuffer(), ByteBuffer()]
            try await range.read(atLeast: 1, into: &outputs[0])
            try await media.read(atLeast: 1, into: &outputs[1])
            clock.pass(milliseconds: 3_000_000)
            await log.sweep()
            #expect(try await stream.oldest() == stream.head)
            outputs[0].writeImmutableBuffer(try await range.collected())
            outputs[1].writeImmutableBuffer(try await media.collected())
            let document = try ReadDocument(outputs[0])
            #expect(document.clusters.map(\.timecode) == source.outputTimecodes([0, 3]))
            #expect(try ReadDocument.all(in: outputs[1]).count == 2)
        }
    }

    @Test func `a stream deleted while a fragment arrives ends its followers`() async throws {
        let source = try await SourceDocument.bunny.value
        try await withStream { stream, log in
            let producer = try TestProducer(source, to: stream)
            let open = try await producer.begin(0)
            try producer.append(0..<5, of: 0, to: open)
            var follower = try await stream.follow()
            var media = try await KVSMedia(stream: stream, start: .newest)
            var outputs = [ByteBuffer(), ByteBuffer()]
            var slow = try await stream.follow()
            try await follower.read(atLeast: open.childrenLength, into: &outputs[0])
            try await media.read(atLeast: open.childrenLength, into: &outputs[1])
            while try await slow.next()?.readableBytes ?? 0 < 60_000 {}
            try await log.deleteStream(.test())
            outputs[0].writeImmutableBuffer(try await follower.collected())
            outputs[1].writeImmutableBuffer(try await media.collected())
            for output in outputs { #expect(try ReadDocument(output).clusters.count == 1) }
            // One that is in the middle of a block cannot end its document in order.
            await #expect {
                try await slow.next()
            } throws: {
                ($0 as? PlaybackError)?.code == .gone
            }
        }
    }

    @Test(arguments: 0..<6)
    func `whenever footage goes while it is read, what was given out is whole`(
        round: Int
    )
        async throws
    {
        let clock = SteppedClock(Timestamp(milliseconds: SourceDocument.start))
        var place = try TemporaryLog(clock: clock)
        place.configuration.roll.bytes = 1
        place.configuration.sweepMilliseconds = 3_600_000
        try await withStream(place, retentionHours: 1) { stream, log in
            let producer = SyntheticProducer()
            let session = try stream.openSession(.test)
            for second in 0..<10 as Range<Int64> {
                let instant = Timestamp(milliseconds: SourceDocument.start + second * 1000)
                try await producer.send(session, producer: instant, samples: 4, bytes: 80_000)
            }
            let readers = try await (
                stream.range(), stream.follow(SourceDocument.start),
                KVSMedia(stream: stream, start: .earliest, silenceMilliseconds: 5_000)
            )
            async let range = collectedUntilGone(readers.0)
            async let follow = collectedUntilGone(readers.1)
            async let media = collectedUntilGone(readers.2)
            for _ in 0..<round * 20 { await Task.yield() }
            if round % 2 == 0 {
                clock.pass(milliseconds: 4_000_000)
                await log.sweep()
            }
            for _ in 0..<round * 20 { await Task.yield() }
            try await log.deleteStream(.test())
            for output in [await range, await follow, await media] {
                for document in try ReadDocument.all(in: output) {
                    #expect(document.clusters.allSatisfy { $0.children.count == 5 })
                    #expect(document.clusters.allSatisfy { $0.times.count == 4 })
                }
            }
        }
    }

    private func collectedUntilGone(_ source: some PieceSource) async -> ByteBuffer {
        var source = source
        var all = ByteBuffer()
        do throws(PlaybackError) {
            while let piece = try await source.next() { all.writeImmutableBuffer(piece) }
        } catch {
            #expect(error.code == .gone)
        }
        return all
    }
}

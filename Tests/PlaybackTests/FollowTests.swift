import FragmentLog
import LogTestSupport
import Matroska
import MediaModel
import NIOCore
@testable import Playback
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(3))) struct FollowTests {
    @Test func `blocks come as they arrive, from the archive into the open fragment`() async throws
    {
        let source = try await SourceDocument.bunny.value
        try await withStream { stream, log in
            let producer = try TestProducer(source, to: stream)
            let record = try await producer.send(0)
            var output = ByteBuffer()
            var reader = try await stream.follow(record.producer.milliseconds)
            let archived = try await stream.range().collected().readableBytes
            try await reader.read(atLeast: archived, into: &output)
            #expect(output.readableBytes == archived)
            let open = try await producer.begin(1)
            var expected = archived + ClusterWriter.unknownSizeHead.readableBytes
            for (index, child) in source.clusters[1].children.enumerated() {
                try producer.append(index..<index + 1, of: 1, to: open)
                expected += child.bytes.readableBytes
                // Nothing of a block is held back once it is whole.
                try await reader.read(atLeast: expected, into: &output)
                #expect(output.readableBytes == expected)
            }
            let tags = TagsWriter.plain([TagItem(name: "PLACE", value: "gate")])
            _ = try await open.finished(
                FragmentClosing(durationMilliseconds: producer.duration(1), tagsAfter: tags)
            )
            try await reader.read(atLeast: expected + tags.readableBytes, into: &output)
            await log.close()
            #expect(try await reader.next() == nil)
            #expect(reader.fragmentCount == 2)
            let document = try ReadDocument(output)
            #expect(document.clusters.map(\.timecode) == source.outputTimecodes([0, 1]))
            #expect(document.clusters[1].tags == tags)
            #expect(
                document.clusters[1].children.dropFirst()
                    == source.clusters[1].children.map(\.bytes)[1...]
            )
            let probe = try await Probe(output)
            #expect(probe.complaints == "")
            #expect(
                probe.packets.count
                    == source.clusters[0...1].flatMap(\.children).flatMap(\.samples).count
            )
            #expect(try await matroskaComplaints(output) == "")
        }
    }

    @Test func `the live edge is the open fragment from its start, at time zero`() async throws {
        let source = try await SourceDocument.bunny.value
        try await withStream { stream, _ in
            let producer = try TestProducer(source, to: stream)
            try await producer.send(1)
            let open = try await producer.begin(0)
            try producer.append(0..<4, of: 0, to: open)
            var reader = try await stream.follow(to: producer.producer(2).milliseconds)
            var output = ByteBuffer()
            try await reader.read(atLeast: 1, into: &output)
            try producer.append(4..<source.clusters[0].children.count, of: 0, to: open)
            _ = try await open.finished(
                FragmentClosing(durationMilliseconds: producer.duration(0))
            )
            try await producer.send(2)
            output.writeImmutableBuffer(try await reader.collected())
            let document = try ReadDocument(output)
            #expect(document.header.dateUTC == producer.producer(0))
            #expect(document.clusters[0].timecode == 0)
            // The sound from before time zero has no place in the document.
            #expect(document.clusters[0].times.min() == 0)
            #expect(
                document.clusters[0].children.count == source.clusters[0].children.count - 1
            )
        }
    }

    @Test func `a fragment that ends incomplete ends its cluster, and the next one follows`()
        async throws
    {
        let source = try await SourceDocument.bunny.value
        let clock = SteppedClock()
        try await withStream(TemporaryLog(clock: clock)) { stream, _ in
            let old = try TestProducer(source, to: stream)
            let cut = try await old.begin(0)
            try old.append(0..<30, of: 0, to: cut)
            var reader = try await stream.follow(to: old.producer(3).milliseconds)
            var output = ByteBuffer()
            try await reader.read(atLeast: 1000, into: &output)
            // Another producer takes over from the silent one.
            clock.pass(milliseconds: 3000)
            let new = try TestProducer(source, to: stream)
            try await new.send(1)
            #expect(throws: LogError.self) { try old.append(30..<31, of: 0, to: cut) }
            let open = try await new.begin(2)
            try new.append(0..<10, of: 2, to: open)
            await new.session.end(.disconnected)
            let third = try TestProducer(source, to: stream)
            try await third.send(3)
            output.writeImmutableBuffer(try await reader.collected())
            let document = try ReadDocument(output)
            #expect(
                document.clusters.map(\.children.count)
                    == [29, source.clusters[1].children.count, 10]
            )
            #expect(
                document.clusters.map(\.timecode) == source.outputTimecodes([0, 1, 2], first: 0)
            )
            #expect(try await Probe(output).complaints == "")
        }
    }

    @Test func `time that goes back while following begins another document`() async throws {
        let source = try await SourceDocument.bunny.value
        try await withStream { stream, _ in
            let live = try TestProducer(source, to: stream)
            try await live.send(2)
            await live.session.end(.finished)
            let late = try TestProducer(source, to: stream)
            try await late.send(0)
            try await late.send(1)
            try await late.send(4)
            var reader = try await stream.follow(
                live.producer(2).milliseconds,
                to: live.producer(4).milliseconds
            )
            let found = try ReadDocument.all(in: try await reader.collected())
            #expect(found.map(\.clusters.count) == [1, 2])
            #expect(
                found[1].clusters.map(\.timecode)
                    == source.outputTimecodes([0, 1], first: found[1].clusters[0].timecode)
            )
            while try await reader.next() != nil {}
            #expect(reader.fragmentCount == 3)
        }
    }

    @Test func `a follower ends in order when the server stops, and goes on after a restart`()
        async throws
    {
        let source = try await SourceDocument.bunny.value
        let place = try TemporaryLog()
        try await withStream(place) { stream, log in
            let producer = try TestProducer(source, to: stream)
            try await producer.send(0)
            let reader = try await stream.follow(producer.producer(0).milliseconds)
            async let output = reader.collected()
            await producer.session.end(.finished)
            await log.close()
            #expect(try ReadDocument(try await output).clusters.count == 1)
        }
        let log = try await place.open()
        let stream = try #require(log.stream(.test()))
        let producer = try TestProducer(source, to: stream)
        var reader = try await stream.follow(
            producer.producer(0).milliseconds,
            to: producer.producer(2).milliseconds
        )
        var output = ByteBuffer()
        try await reader.read(atLeast: 1, into: &output)
        try await producer.send(1)
        try await producer.send(2)
        output.writeImmutableBuffer(try await reader.collected())
        #expect(
            try ReadDocument(output).clusters.map(\.timecode) == source.outputTimecodes([0, 1])
        )
        await log.close()
    }

    @Test func `a reader that falls behind holds no memory of the log and loses nothing`()
        async throws
    {
        let source = try await SourceDocument.bunny.value
        try await withStream { stream, log in
            let producer = try TestProducer(source, to: stream)
            let open = try await producer.begin(0)
            try producer.append(0..<3, of: 0, to: open)
            var reader = try await stream.follow(to: producer.producer(4).milliseconds)
            var output = ByteBuffer()
            try await reader.read(atLeast: 1, into: &output)
            try producer.append(3..<source.clusters[0].children.count, of: 0, to: open)
            _ = try await open.finished(
                FragmentClosing(durationMilliseconds: producer.duration(0))
            )
            for index in 1...4 { try await producer.send(index) }
            #expect(log.openFragmentBytes == 0)
            output.writeImmutableBuffer(try await reader.collected())
            let document = try ReadDocument(output)
            #expect(document.clusters.count == 4)
            for (found, sent) in zip(document.clusters, source.clusters).dropFirst() {
                #expect(found.children.dropFirst() == sent.children.map(\.bytes)[1...])
            }
        }
    }

    @Test func `cancelling ends a reader that waits`() async throws {
        try await withStream { stream, _ in
            let reader = try await stream.follow()
            let native = Task { try await reader.collected() }
            native.cancel()
            await #expect { try await native.value } throws: {
                ($0 as? PlaybackError)?.code == .cancelled
            }
            let media = try await KVSMedia(stream: stream, start: .newest)
            let kvs = Task { try await media.collected() }
            kvs.cancel()
            await #expect { try await kvs.value } throws: {
                ($0 as? PlaybackError)?.code == .cancelled
            }
        }
    }

    @Test func `cancelling leaves whole what was given out`() async throws {
        let source = try await SourceDocument.bunny.value
        try await withStream { stream, _ in
            let producer = try TestProducer(source, to: stream)
            try await producer.send(0)
            try await producer.send(1)
            let open = try await producer.begin(2)
            try producer.append(0..<30, of: 2, to: open)
            for isLive in [false, true] {
                let native = try await isLive ? stream.follow() : stream.range()
                let media = try await KVSMedia(
                    stream: stream,
                    start: isLive ? .newest : .earliest
                )
                let outputs = await [cancelledAfterOnePiece(native), cancelledAfterOnePiece(media)]
                for output in outputs {
                    let found = try ReadDocument.all(in: output)
                    #expect(found.map(\.clusters.count) == [1])
                    #expect(found[0].clusters[0].times.count > 20)
                }
            }
        }
    }

    private func cancelledAfterOnePiece(_ source: some PieceSource) async -> ByteBuffer {
        await Task {
            var source = source
            var all = ByteBuffer()
            do throws(PlaybackError) {
                while let piece = try await source.next() {
                    all.writeImmutableBuffer(piece)
                    unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
                }
                Issue.record("a cancelled reader ended as if there was no more")
            } catch {
                #expect(error.code == .cancelled)
            }
            return all
        }.value
    }
}

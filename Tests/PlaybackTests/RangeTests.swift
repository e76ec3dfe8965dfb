import FragmentLog
import LogTestSupport
import Matroska
import MediaModel
import NIOCore
@testable import Playback
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(3))) struct RangeTests {
    private let start = SourceDocument.start

    @Test func `a whole stream decodes to the very pictures and sounds of its source`() async throws
    {
        let source = try await SourceDocument.bunny.value
        #expect(source.clusters.count == 5)
        try await withStream { stream, _ in
            let records = try await TestProducer(source, to: stream).sendAll()
            var reader = try await stream.range()
            let output = try await reader.collected()
            let header = try DocumentHeader.parse(output)
            #expect(header.tracks == source.header.tracks)
            // The first sound begins 21 ms before the first picture, at which the fragment begins.
            let zero = records[0].producer.advanced(byMilliseconds: -21)
            #expect(header.dateUTC == zero)
            let expected = try await decoded(source.file)
            let found = try await decoded(output)
            #expect(found.hashes == expected.hashes)
            #expect(found.complaints == "")
            let probe = try await Probe(output)
            #expect(probe.complaints == "")
            #expect(
                try await probe.packets == Probe(source.file).moved(by: -zero.milliseconds)
            )
            #expect(try await matroskaComplaints(output) == "")
            while try await reader.next() != nil {}
            #expect(reader.fragmentCount == 5)
        }
    }

    @Test func `a stretch gives every fragment that touches it, from time zero`() async throws {
        let source = try await SourceDocument.bunny.value
        try await withStream { stream, _ in
            let records = try await TestProducer(source, to: stream).sendAll()
            // From within the second to the first instant of the fourth, which is excluded.
            let from = records[1].producer.milliseconds + 500
            let to = records[3].producer.milliseconds
            let output = try await stream.range(from, to).collected()
            let document = try ReadDocument(output)
            #expect(document.clusters.count == 2)
            let zero = try #require(document.header.dateUTC).milliseconds
            #expect((0...100).contains(records[1].producer.milliseconds - zero))
            #expect(
                document.clusters.map { zero + Int64($0.timecode) }
                    == records[1...2].map(\.producer.milliseconds)
            )
            #expect((document.clusters[0].times.min() ?? -1) >= 0)
            // All blocks as they were sent, behind a Timecode that was changed in place.
            for (found, sent) in zip(document.clusters, source.clusters[1...2]) {
                #expect(found.children.dropFirst() == sent.children.map(\.bytes)[1...])
            }
            #expect(try await decoded(output).complaints == "")
            #expect(try await stream.range(0, 1).collected().readableBytes == 0)
        }
    }

    @Test func `each fragment alone decodes without complaint`() async throws {
        let source = try await SourceDocument.visitor.value
        try await withStream { stream, _ in
            let records = try await TestProducer(source, to: stream).sendAll()
            for (index, record) in records.enumerated() where index % 3 == 0 {
                let output = try await FragmentDocument(stream: stream, record: record).collected()
                let document = try ReadDocument(output)
                let zero = try #require(document.header.dateUTC).milliseconds
                #expect(
                    zero + Int64(document.clusters[0].timecode) == record.producer.milliseconds
                )
                #expect(document.clusters.count == 1)
                let result = try await decoded(output)
                #expect(result.complaints == "")
                #expect(result.hashes.split(separator: "\n").count == 2)
            }
            let table = try await samples(stream: stream, record: records[0])
            #expect(table.samples.count == Int(records[0].sampleCount))
        }
    }

    @Test func `a gap keeps its length and a new SegmentUID needs no new document`() async throws {
        let source = try await SourceDocument.bunny.value
        try await withStream { stream, _ in
            let first = try TestProducer(source, to: stream)
            try await first.send(0)
            await first.session.end(.disconnected)
            // Another SegmentUID, and the CRC-32 of Info with it.
            var header = source.header.bytes
            let uid = try #require(header.readableBytesView.firstRange(of: [0x73, 0xA4, 0x90]))
            header.setInteger(UInt64(42), at: uid.upperBound)
            var info = header
            let mark = try #require(
                header.readableBytesView.firstRange(of: [0x15, 0x49, 0xA9, 0x66])
            )
            info.moveReaderIndex(to: mark.lowerBound)
            guard case .prefix(let prefix) = ElementPrefix.scan(info),
                let length = prefix.elementLength,
                let data = info.getSlice(
                    at: mark.lowerBound + prefix.length + 6,
                    length: length - prefix.length - 6
                )
            else { return }
            header.setInteger(
                CRC32.of(data),
                at: mark.lowerBound + prefix.length + 2,
                endianness: .little
            )
            let second = try TestProducer(source, to: stream, header: header)
            try await second.send(3)
            let document = try ReadDocument(try await stream.range().collected())
            #expect(document.clusters.map(\.timecode) == source.outputTimecodes([0, 3]))
        }
    }

    @Test func `another codec set begins another document, which counts from zero again`()
        async throws
    {
        let bunny = try await SourceDocument.bunny.value
        let visitor = try await SourceDocument.visitor.value
        try await withStream { stream, _ in
            let first = try TestProducer(bunny, to: stream)
            try await first.send(0)
            try await first.send(1)
            await first.session.end(.finished)
            let second = try TestProducer(
                visitor,
                to: stream,
                zero: Timestamp(milliseconds: 60_000)
            )
            let record = try await second.send(0)
            try await second.send(1)
            let output = try await stream.range().collected()
            let found = try ReadDocument.all(in: output)
            #expect(found.map(\.clusters.count) == [2, 2])
            #expect(found[1].header.tracks == visitor.header.tracks)
            let zero = try #require(found[1].header.dateUTC)
            #expect(
                zero.milliseconds + Int64(found[1].clusters[0].timecode)
                    == record.producer.milliseconds
            )
            for document in found {
                #expect(try await matroskaComplaints(document.bytes) == "")
                #expect(try await Probe(document.bytes).complaints == "")
            }
        }
    }

    @Test func `relative timecodes lie on the time line of their producer timestamps`() async throws
    {
        let source = try await SourceDocument.bunnyRelative.value
        #expect(source.clusters[0].timecode < 100)
        try await withStream { stream, _ in
            var expected: [UInt64] = []
            for (session, offset) in [(1, 0), (2, 30_000)] {
                let producer = try TestProducer(
                    source,
                    to: stream,
                    kind: .putMediaRelative(session: UInt64(session)),
                    zero: Timestamp(milliseconds: start + Int64(offset))
                )
                try await producer.send(0)
                try await producer.send(1)
                await producer.session.end(.finished)
                expected += source.clusters[0...1].map { $0.timecode + UInt64(offset) }
            }
            let document = try ReadDocument(try await stream.range().collected())
            let zero = try #require(document.header.dateUTC).milliseconds
            #expect(
                document.clusters.map { Int64($0.timecode) + zero - start }
                    == expected.map { Int64($0) }
            )
        }
    }

    @Test func `clusters of our own come out as they went in`() async throws {
        let source = try await SourceDocument.bunny.value
        try await withStream { stream, _ in
            let producer = try TestProducer(source, to: stream)
            for index in source.clusters.indices { try await producer.sendOwn(index) }
            let output = try await stream.range().collected()
            let zero = try #require(try DocumentHeader.parse(output).dateUTC)
            let probe = try await Probe(output)
            #expect(probe.complaints == "")
            #expect(
                try await probe.packets == Probe(source.file).moved(by: -zero.milliseconds)
            )
            #expect(try await matroskaComplaints(output) == "")
        }
    }

    @Test func `a producer's tags stay byte for byte, but none that only a server writes`()
        async throws
    {
        let source = try await SourceDocument.bunny.value
        let kept = TagsWriter.plain([
            TagItem(name: "PLACE", value: "gate"),
            TagItem(name: "AWS_KINESISVIDEO_END_OF_FRAGMENT", value: ""),
        ])
        let reserved = TagsWriter.trailing(
            millisBehindNow: 5,
            continuationToken: FragmentNumber(sequence: 1, serverMilliseconds: 1, random: 1)
        )
        try await withStream { stream, _ in
            var both = reserved
            both.writeImmutableBuffer(kept)
            var header = source.header.bytes
            header.writeImmutableBuffer(
                TagsWriter.plain([TagItem(name: TagItem.fragmentNumberName, value: "1")])
            )
            let producer = try TestProducer(source, to: stream, header: header)
            try await producer.send(0, tagsAfter: both)
            try await producer.send(1, tagsBefore: both, tagsAfter: kept)
            let output = try await stream.range().collected()
            let document = try ReadDocument(output)
            var twice = kept
            twice.writeImmutableBuffer(kept)
            #expect(document.clusters.map(\.tags) == [twice, kept])
            #expect(document.header.tags == source.header.tags)
            #expect(try await matroskaComplaints(output) == "")
        }
    }

    @Test func `footage sent late takes its place by producer time, and a document by server time`()
        async throws
    {
        let source = try await SourceDocument.bunny.value
        try await withStream { stream, _ in
            let live = try TestProducer(source, to: stream)
            for index in 2...4 { try await live.send(index) }
            await live.session.end(.finished)
            let late = try TestProducer(source, to: stream)
            for index in 0...2 { try await late.send(index) }
            let byProducer = try ReadDocument(try await stream.range().collected())
            #expect(
                byProducer.clusters.map(\.timecode) == source.outputTimecodes([0, 1, 2, 3, 4])
            )
            let byServer = try ReadDocument.all(
                in: try await stream.range(clock: .server).collected()
            )
            #expect(byServer.map(\.clusters.count) == [3, 3])
        }
    }

    @Test func `incomplete fragments are given out unless they were sent again`() async throws {
        let source = try await SourceDocument.bunny.value
        try await withStream { stream, _ in
            let producer = try TestProducer(source, to: stream)
            try await producer.send(0)
            let cut = try await producer.begin(1)
            try producer.append(0..<20, of: 1, to: cut)
            await producer.session.end(.disconnected)
            let before = try ReadDocument(try await stream.range().collected())
            #expect(
                before.clusters.map(\.children.count) == [source.clusters[0].children.count, 20]
            )
            let again = try TestProducer(source, to: stream)
            try await again.send(1)
            let after = try ReadDocument(try await stream.range().collected())
            #expect(
                after.clusters.map(\.children.count)
                    == source.clusters[0...1].map(\.children.count)
            )
        }
    }

    @Test func `a stretch that begins in a long group of pictures begins with its sync fragment`()
        async throws
    {
        let source = try await SourceDocument.bunny.value
        try await withStream { stream, _ in
            let producer = try TestProducer(source, to: stream)
            var records: [FragmentRecord] = []
            for index in source.clusters.indices {
                let isDependent = index == 2 || index == 3
                records.append(
                    try await producer.send(index, opening: isDependent ? .dependent : [])
                )
            }
            let from = records[3].producer.milliseconds + 1
            let document = try ReadDocument(try await stream.range(from).collected())
            #expect(document.clusters.count == 4)
            var follower = try await stream.follow(from, to: records[4].producer.milliseconds)
            var followed = ByteBuffer()
            while let piece = try await follower.next() { followed.writeImmutableBuffer(piece) }
            #expect(try ReadDocument(followed).clusters.count == 3)
            // One of them alone is of no use without those before it.
            let last = try await FragmentDocument(stream: stream, record: records[3]).collected()
            let chain = try ReadDocument(last)
            #expect(chain.clusters.count == 3)
            #expect(chain.header.dateUTC == document.header.dateUTC)
            #expect(try await decoded(last).complaints == "")
            let alone = try await FragmentDocument(stream: stream, record: records[1]).collected()
            #expect(try ReadDocument(alone).clusters.count == 1)
        }
    }

    @Test func `leading pictures are left out where a document begins with an open group`()
        async throws
    {
        let source = try await SourceDocument.openGOP.value
        #expect(source.clusters.count == 2)
        let key = try #require(source.clusters[1].children.first { !$0.samples.isEmpty })
        let times = source.clusters[1].children.flatMap(\.samples).map(\.timecode)
        #expect(times.filter { $0 < key.samples[0].timecode }.count == 2)
        try await withStream { stream, _ in
            let producer = try TestProducer(source, to: stream)
            try await producer.send(0)
            let record = try await producer.send(1, opening: .openGOP)
            // In the middle of a document they are there.
            let whole = try ReadDocument(try await stream.range().collected())
            #expect(whole.clusters[1].children.count == source.clusters[1].children.count)
            let output = try await FragmentDocument(stream: stream, record: record).collected()
            let document = try ReadDocument(output)
            #expect(document.header.dateUTC == record.producer)
            #expect(
                document.clusters[0].times.sorted()
                    == times.filter { $0 >= key.samples[0].timecode }.sorted().map {
                        $0 - record.producer.milliseconds
                    }
            )
            #expect(try await decoded(output).complaints == "")
            #expect(try await matroskaComplaints(output) == "")
            // Our own kind of Cluster lives on another time line than its samples.
            let own = try await producer.sendOwn(1)
            let table = try await samples(stream: stream, record: own)
            #expect(Preroll.leadingSamples(table, governing: 1).isEmpty)
        }
    }

    @Test func `a fragment of many pieces is read piece by piece`() async throws {
        try await withStream { stream, log in
            let producer = SyntheticProducer()
            let session = try stream.openSession(.test)
            let zero = Timestamp(milliseconds: start)
            let record = try await producer.send(
                session,
                producer: zero,
                samples: 50,
                bytes: 400_000
            )
            #expect(record.clusterLength > 20_000_000)
            var reader = try await stream.range()
            var count = 0
            var total = 0
            while let piece = try await reader.next() {
                #expect(piece.readableBytes <= 256 << 10)
                count += 1
                total += piece.readableBytes
            }
            #expect(count < 100)
            #expect(total > 20_000_000)
            #expect(log.openFragmentBytes == 0)
        }
    }

    @Test func `another TimecodeScale begins another document in its own ticks`() async throws {
        try await withStream { stream, _ in
            let producer = SyntheticProducer()
            let session = try stream.openSession(.test)
            let zero = Timestamp(milliseconds: start)
            try await producer.send(session, producer: zero)
            await session.end(.finished)
            // The same header with ticks of 0.1 ms.
            var header = producer.header.bytes
            let scale = try #require(
                header.readableBytesView.firstRange(of: [0x2A, 0xD7, 0xB1, 0x83, 0x0F, 0x42, 0x40])
            )
            header.setBytes([0x01, 0x86, 0xA0], at: scale.upperBound - 3)
            let other = try stream.openSession(.test)
            for second in 1...2 {
                let instant = zero.advanced(byMilliseconds: Int64(second) * 1000)
                var opening = producer.opening(producer: instant)
                opening.header = SegmentHeader(bytes: header, kind: .putMedia)
                let fragment = try await other.beginFragment(opening)
                try producer.fill(fragment)
                _ = try await fragment.finished(FragmentClosing(durationMilliseconds: 1000))
            }
            let found = try ReadDocument.all(in: try await stream.range().collected())
            #expect(found.map { $0.clusters.map(\.timecode) } == [[0], [0, 10_000]])
            #expect(found.map(\.header.timecodeScale) == [1_000_000, 100_000])
        }
    }
}

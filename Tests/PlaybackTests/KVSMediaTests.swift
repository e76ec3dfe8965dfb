import FragmentLog
import LogTestSupport
import Matroska
import MediaModel
import NIOCore
@testable import Playback
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(3))) struct KVSMediaTests {
    private func media(
        _ stream: StreamLog,
        _ start: CursorStart = .earliest,
        silence: Int64 = 1
    ) async throws -> KVSMedia {
        try await KVSMedia(stream: stream, start: start, silenceMilliseconds: silence)
    }

    /// What must stand for a stored fragment.
    private func expected(
        _ record: FragmentRecord,
        of stream: StreamLog,
        header: ByteBuffer,
        behind: Int64
    ) async throws -> ByteBuffer {
        var bytes = header
        bytes.writeImmutableBuffer(try await stream.read(record, .served))
        bytes.writeImmutableBuffer(
            TagsWriter.trailing(millisBehindNow: behind, continuationToken: record.number)
        )
        return bytes
    }

    @Test func `a stored fragment is the header, its stored bytes and the trailing tags`()
        async throws
    {
        let source = try await SourceDocument.bunny.value
        let tags = TagsWriter.plain([TagItem(name: "PLACE", value: "gate")])
        try await withStream { stream, _ in
            let producer = try TestProducer(source, to: stream)
            var records: [FragmentRecord] = []
            for index in 0...2 {
                records.append(
                    try await producer.send(
                        index,
                        tagsBefore: index == 1 ? tags : ByteBuffer(),
                        tagsAfter: index > 0 ? tags : ByteBuffer()
                    )
                )
            }
            let output = try await media(stream).collected()
            var all = ByteBuffer()
            for record in records {
                let behind = records[2].server.milliseconds(since: record.server)
                all.writeImmutableBuffer(
                    try await expected(
                        record,
                        of: stream,
                        header: source.header.bytes,
                        behind: behind
                    )
                )
            }
            #expect(output == all)
            for document in documents(output) {
                #expect(try await matroskaComplaints(document) == "")
            }
            // Where a token says to go on, the next document is the next fragment's.
            let rest = try await media(stream, .after(records[1].number)).collected()
            #expect(documents(rest) == [documents(output)[2]])
        }
    }

    @Test func `a strict client finds every fragment complete and in order of its text`()
        async throws
    {
        let source = try await SourceDocument.visitor.value
        try await withStream { stream, _ in
            let records = try await TestProducer(source, to: stream).sendAll()
            let found = try ReadDocument.all(in: try await media(stream).collected())
            #expect(found.count == records.count)
            var last = ""
            for (document, record) in zip(found, records) {
                let number = try #require(document.tag(TagItem.fragmentNumberName))
                #expect(number > last)
                last = number
                #expect(number == record.number.description)
                #expect(
                    document.tag(TagItem.serverTimestampName) == record.server.secondsText
                )
                #expect(
                    document.tag(TagItem.producerTimestampName) == record.producer.secondsText
                )
                #expect(document.header.bytes.starts(with: source.header.bytes))
                let trailing = try document.trailingTags()
                #expect(
                    trailing.map(\.name) == [
                        TagItem.millisBehindNowName, TagItem.continuationTokenName,
                    ]
                )
                #expect(trailing.last?.value == number)
                #expect(Int64(trailing[0].value) != nil)
                #expect(document.clusters.count == 1)
            }
            #expect(try found.last?.trailingTags().first?.value == "0")
            #expect(
                zip(found, source.clusters).allSatisfy {
                    $0.clusters[0].timecode == $1.timecode
                        && $0.clusters[0].children == $1.children.map(\.bytes)
                }
            )
        }
    }

    @Test func `an arriving fragment is relayed block by block, and complete once it has ended`()
        async throws
    {
        let source = try await SourceDocument.bunny.value
        let tags = TagsWriter.plain([TagItem(name: "PLACE", value: "gate")])
        try await withStream { stream, _ in
            let producer = try TestProducer(source, to: stream)
            let open = try await producer.begin(0, tagsBefore: tags)
            try producer.append(0..<1, of: 0, to: open)
            var reader = try await media(stream, .newest, silence: 30_000)
            var output = ByteBuffer()
            var expected = source.header.bytes
            expected.writeImmutableBuffer(
                TagsWriter.server(
                    number: open.number,
                    serverTimestamp: open.server,
                    producerTimestamp: open.opening.producer
                )
            )
            expected.writeImmutableBuffer(tags)
            expected.writeImmutableBuffer(ClusterWriter.unknownSizeHead)
            for (index, child) in source.clusters[0].children.enumerated() {
                if index > 0 { try producer.append(index..<index + 1, of: 0, to: open) }
                expected.writeImmutableBuffer(child.bytes)
                try await reader.read(atLeast: expected.readableBytes, into: &output)
                #expect(output.readableBytes == expected.readableBytes)
            }
            #expect(output == expected)
            let record = try await open.finished(
                FragmentClosing(durationMilliseconds: producer.duration(0), tagsAfter: tags)
            )
            expected.writeImmutableBuffer(tags)
            expected.writeImmutableBuffer(
                TagsWriter.trailing(millisBehindNow: 0, continuationToken: record.number)
            )
            try await reader.read(atLeast: expected.readableBytes, into: &output)
            #expect(output == expected)
            #expect(try await Probe(output).complaints == "")
            #expect(try await matroskaComplaints(output) == "")
            #expect(reader.fragmentCount == 1)
        }
    }

    @Test func `incomplete fragments are passed over, and a relayed one ends the response`()
        async throws
    {
        let source = try await SourceDocument.bunny.value
        try await withStream { stream, _ in
            let first = try TestProducer(source, to: stream)
            try await first.send(0)
            let cut = try await first.begin(1)
            try first.append(0..<10, of: 1, to: cut)
            let relayed = try await media(stream, .newest, silence: 30_000)
            var reader = relayed
            var output = ByteBuffer()
            try await reader.read(atLeast: 2000, into: &output)
            await first.session.end(.disconnected)
            while let piece = try await reader.next() { output.writeImmutableBuffer(piece) }
            let document = try ReadDocument(output)
            #expect(document.tag(TagItem.fragmentNumberName) == cut.number.description)
            #expect(try document.trailingTags().isEmpty)
            let second = try TestProducer(source, to: stream)
            try await second.send(2)
            let found = try ReadDocument.all(in: try await media(stream).collected())
            #expect(
                found.map { $0.clusters[0].timecode }
                    == [source.clusters[0].timecode, source.clusters[2].timecode]
            )
        }
    }

    @Test func `Tags before Info come once, those after Tracks with every document`() async throws {
        let source = try await SourceDocument.bunny.value
        let early = TagsWriter.plain([TagItem(name: "EARLY", value: "1")])
        let late = TagsWriter.plain([TagItem(name: "LATE", value: "1")])
        let reserved = TagsWriter.plain([TagItem(name: TagItem.errorIDName, value: "1")])
        // Right behind the Segment's head.
        var header = ByteBuffer()
        var rest = source.header.bytes
        let segment = try #require(
            rest.readableBytesView.firstRange(of: [0x18, 0x53, 0x80, 0x67, 0x01, 0xFF])
        )
        let length = segment.lowerBound - rest.readerIndex + 12
        header.writeImmutableBuffer(rest.readSlice(length: length) ?? ByteBuffer())
        header.writeImmutableBuffer(early)
        var repeated = source.header.bytes
        header.writeImmutableBuffer(rest)
        header.writeImmutableBuffer(reserved)
        header.writeImmutableBuffer(late)
        repeated.writeImmutableBuffer(late)
        try await withStream { [header, repeated] stream, _ in
            let producer = try TestProducer(source, to: stream, header: header)
            for index in 0...2 { try await producer.send(index) }
            let found = try ReadDocument.all(in: try await media(stream).collected())
            #expect(found.map { $0.tag("EARLY") != nil } == [true, false, false])
            #expect(found.map { $0.tag("LATE") != nil } == [true, true, true])
            #expect(found.allSatisfy { $0.tag(TagItem.errorIDName) == nil })
            #expect(found[1].header.bytes.starts(with: repeated))
            #expect(found[2].header.bytes.starts(with: repeated))
        }
    }

    @Test func `silence ends the response in order, also in the middle of a fragment`() async throws
    {
        let source = try await SourceDocument.bunny.value
        try await withStream { stream, _ in
            #expect(try await media(stream).collected().readableBytes == 0)
            let producer = try TestProducer(source, to: stream)
            let open = try await producer.begin(0)
            #expect(try await media(stream, .newest).collected().readableBytes == 0)
            try producer.append(0..<5, of: 0, to: open)
            let output = try await media(stream, .newest).collected()
            #expect(try ReadDocument(output).clusters[0].children.count == 5)
        }
    }

    @Test func `a stream that keeps nothing still serves its ring`() async throws {
        let source = try await SourceDocument.bunny.value
        try await withStream(retentionHours: 0) { stream, _ in
            let producer = try TestProducer(source, to: stream)
            try await producer.send(0)
            try await producer.send(1)
            #expect(try ReadDocument.all(in: try await media(stream).collected()).count == 2)
            let open = try await producer.begin(2)
            try producer.append(of: 2, to: open)
            var reader = try await media(stream, .newest, silence: 30_000)
            var output = ByteBuffer()
            try await reader.read(atLeast: open.childrenLength, into: &output)
            #expect(output.readableBytes >= open.childrenLength)
        }
    }

    @Test func `a token of the run before goes on after a restart`() async throws {
        let source = try await SourceDocument.bunny.value
        let place = try TemporaryLog()
        var token: FragmentNumber?
        try await withStream(place) { stream, _ in
            let producer = try TestProducer(source, to: stream)
            try await producer.send(0)
            let found = try ReadDocument.all(in: try await media(stream).collected())
            token = try found[0].trailingTags().last.flatMap { FragmentNumber($0.value) }
        }
        let log = try await place.open()
        let stream = try #require(log.stream(.test()))
        let producer = try TestProducer(source, to: stream)
        try await producer.send(1)
        let found = try ReadDocument.all(
            in: try await media(stream, .after(try #require(token))).collected()
        )
        #expect(found.map { $0.clusters[0].timecode } == [source.clusters[1].timecode])
        await log.close()
    }
}

extension ByteBuffer {
    func starts(with prefix: ByteBuffer) -> Bool {
        getSlice(at: readerIndex, length: prefix.readableBytes) == prefix
    }
}

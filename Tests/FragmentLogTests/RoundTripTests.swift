import FragmentLog
import LogTestSupport
import Matroska
import MediaModel
import NIOCore
import Testing

@Suite struct RoundTripTests {
    private let start = Timestamp(milliseconds: 1_795_255_200_000)

    @Test func `a fragment comes back byte for byte, also after a restart`() async throws {
        let place = try TemporaryLog()
        let producer = SyntheticProducer()
        let record: FragmentRecord
        let stored: ByteBuffer
        do {
            let log = try await place.open()
            let stream = try await log.createStream(StreamSettings(name: .test()))
            let session = try stream.openSession(.test)
            record = try await producer.send(session, producer: start)
            #expect(stream.head == record)
            #expect(record.number.sequence == 1)
            #expect(record.ordinal == 0)
            stored = try await stream.read(record, .stored)
            let parsed = try StoredFragment.parse(stored)
            #expect(parsed.number == record.number)
            #expect(parsed.table.samples.count == 2)
            await session.end(.finished)
            await log.close()
        }
        let log = try await place.open()
        let stream = try #require(log.stream(.test()))
        var again = try #require(stream.head)
        again.position = record.position
        #expect(again == record)
        #expect(try await stream.read(again, .stored) == stored)
        let next = try await producer.send(
            try stream.openSession(.test),
            producer: start.advanced(byMilliseconds: 1000)
        )
        #expect(next.number > record.number)
        #expect(next.number.sequence > 1000, "numbers of the last run are not given out again")
        #expect(next.ordinal == 1)
        let page = try await stream.fragments(
            FragmentQuery(range: start..<start.advanced(byMilliseconds: 5000))
        )
        #expect(page.fragments.map(\.number) == [record.number, next.number])
        await log.close()
    }

    @Test func `a cursor follows from the archive into the open fragment`() async throws {
        let place = try TemporaryLog()
        let log = try await place.open()
        let stream = try await log.createStream(StreamSettings(name: .test()))
        let session = try stream.openSession(.test)
        let producer = SyntheticProducer()
        let first = try await producer.send(session, producer: start)
        let open = try await session.beginFragment(
            producer.opening(producer: start.advanced(byMilliseconds: 1000))
        )
        var cursor = try await stream.cursor(.earliest)
        guard case .stored(let record) = try await cursor.next(follow: true) else {
            Issue.record("the archived fragment was not given first")
            return
        }
        #expect(record.number == first.number)
        guard case .open(let live) = try await cursor.next(follow: true) else {
            Issue.record("the open fragment was not given")
            return
        }
        #expect(live === open)
        async let read = live.read(from: 0, atMost: 1 << 20)
        try producer.fill(open)
        let bytes = try await read
        #expect(bytes.bytes.readableBytes > 0)
        let stored = try await open.finished(FragmentClosing(durationMilliseconds: 80))
        var all = ByteBuffer()
        while true {
            let more = try await live.read(from: all.readableBytes, atMost: 64)
            all.writeImmutableBuffer(more.bytes)
            if all.readableBytes == more.childrenLength, case .finished = more.state { break }
        }
        let cluster = try await stream.read(stored, .cluster)
        #expect(cluster.getSlice(at: 18, length: cluster.readableBytes - 18) == all)
        await session.end(.finished)
        await log.close()
    }
}

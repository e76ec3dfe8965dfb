import LogTestSupport
import MediaModel
import TestSupport
import Testing

@testable import FragmentLog

/// Where a cursor that follows begins.
@Suite(.timeLimit(.minutes(3))) struct FollowingCursorTests {
    private let start = Timestamp(milliseconds: 1_795_255_200_000)

    private func withSession(
        _ body: (StreamLog, ProducerSession) async throws -> Void
    ) async throws {
        let place = try TemporaryLog(clock: SteppedClock(start.advanced(byMilliseconds: 60_000)))
        defer { place.keep() }
        let log = try await place.open()
        var settings = StreamSettings(name: .test(), retentionHours: 24)
        settings.durability = .none
        let stream = try await log.createStream(settings)
        try await body(stream, try stream.openSession(.test))
        await log.close()
    }

    private func number(_ step: FragmentCursor.Step) -> FragmentNumber? {
        switch step {
        case .stored(let record): record.number
        case .open(let fragment): fragment.number
        case .end: nil
        }
    }

    @Test func `nothing that is stored while a place is looked up is passed over`() async throws {
        try await withSession { stream, session in
            let producer = SyntheticProducer()
            let start = start
            let count = Effort.count(400, underThreadSanitizer: 60)
            let first = try await producer.send(session, producer: start)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    for index in 1..<count {
                        try await producer.send(
                            session,
                            producer: start.advanced(byMilliseconds: Int64(index) * 1000)
                        )
                    }
                }
                // Follows from the end of what there is.
                var last = first
                while let head = stream.head, head.ordinal < UInt64(count - 2) {
                    var cursor = try await stream.cursor(.time(head.producerEnd, .producer))
                    let step = try await cursor.next(follow: true)
                    let found = try #require(number(step))
                    #expect(found.sequence == head.number.sequence + 1)
                    last = head
                }
                #expect(last.ordinal > 0)
                try await group.waitForAll()
            }
        }
    }

    @Test(arguments: [StreamClock.producer, .server])
    func `whoever follows from later on gets nothing that ends before`(
        clock: StreamClock
    )
        async throws
    {
        try await withSession { stream, session in
            let producer = SyntheticProducer()
            func send(_ second: Int64) async throws -> FragmentRecord {
                let time = start.advanced(byMilliseconds: second * 1000)
                return try await producer.send(session, producer: time, server: time)
            }
            _ = try await send(60)
            let from = start.advanced(byMilliseconds: 63_500)
            var cursor = try await stream.cursor(.time(from, clock))
            // One second each: the third holds the time.
            for second: Int64 in [61, 62] { _ = try await send(second) }
            let wanted = [try await send(63), try await send(64)]
            #expect(number(try await cursor.next(follow: true)) == wanted[0].number)
            #expect(number(try await cursor.next(follow: true)) == wanted[1].number)
        }
    }

    @Test func `a fragment that is open before that time is waited for`() async throws {
        try await withSession { stream, session in
            let producer = SyntheticProducer()
            let from = start.advanced(byMilliseconds: 120_000)
            var cursor = try await stream.cursor(.time(from, .producer))
            let early = try await session.beginFragment(
                producer.opening(producer: start.advanced(byMilliseconds: 100_000))
            )
            try producer.fill(early)
            guard case .end = try await cursor.next(follow: false) else {
                Issue.record("it may end before the time asked for")
                return
            }
            _ = try await early.finished(FragmentClosing(durationMilliseconds: 1000))
            let wanted = try await producer.send(session, producer: from)
            #expect(number(try await cursor.next(follow: true)) == wanted.number)
        }
    }

    @Test func `the fragment that is open now is given at once`() async throws {
        try await withSession { stream, session in
            let producer = SyntheticProducer()
            let now = stream.log.now
            let open = try await session.beginFragment(producer.opening(producer: now))
            try producer.fill(open)
            var cursor = try await stream.cursor(
                .time(now.advanced(byMilliseconds: -500), .producer)
            )
            #expect(number(try await cursor.next(follow: false)) == open.number)
            var fromNow = try await stream.cursor(.time(now, .producer))
            #expect(number(try await fromNow.next(follow: false)) == open.number)
        }
    }

    @Test func `from the beginning of time everything is given`() async throws {
        try await withSession { stream, session in
            let producer = SyntheticProducer()
            let first = try await producer.send(session, producer: start)
            var cursor = try await stream.cursor(
                .time(Timestamp(milliseconds: .min), .producer)
            )
            #expect(number(try await cursor.next(follow: false)) == first.number)
        }
    }
}

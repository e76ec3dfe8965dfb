@testable import FragmentLog
import Glibc
import LogTestSupport
import MediaModel
import NIOCore
import TestSupport
import Testing

/// Several producers of one stream, and what happens between them.
@Suite struct ProducerTests {
    private static let start = Timestamp(milliseconds: 1_795_255_200_000)

    private struct Bench {
        let place: TemporaryLog
        let clock: SteppedClock
        let log: FragmentLog
        let stream: StreamLog
        let producer = SyntheticProducer()

        init(_ change: (inout LogConfiguration) -> Void = { _ in }) async throws {
            clock = SteppedClock(ProducerTests.start)
            place = try TemporaryLog(clock: clock).with(change)
            log = try await place.open()
            stream = try await log.createStream(StreamSettings(name: .test()))
        }

        func gaps(_ clock: StreamClock = .server) async throws -> [Gap] {
            try await stream.gaps(
                in: Timestamp(milliseconds: 0)..<Timestamp.endOfTime,
                clock: clock,
                limit: 1000
            )
        }
    }

    @Test func `the newer session takes over at its first sample, not at its connection`()
        async throws
    {
        let bench = try await Bench()
        defer { bench.place.keep() }
        let old = try bench.stream.openSession(.test)
        try await bench.producer.send(old, producer: Self.start)
        let new = try bench.stream.openSession(.test)
        #expect(!old.isTakenOver)
        try await bench.producer.send(old, producer: Self.start.advanced(byMilliseconds: 1000))
        // The old one is in the middle of a fragment when the new one begins: both come in order.
        let open = try await old.beginFragment(
            bench.producer.opening(producer: Self.start.advanced(byMilliseconds: 2000))
        )
        try bench.producer.fill(open)
        let next = try await new.beginFragment(
            bench.producer.opening(producer: Self.start.advanced(byMilliseconds: 2500))
        )
        try bench.producer.fill(next)
        #expect(old.isTakenOver)
        async let second = next.finished(FragmentClosing(durationMilliseconds: 500))
        try bench.producer.fill(open)
        let first = try await open.finished(FragmentClosing(durationMilliseconds: 500))
        #expect(try await second.number > first.number)
        #expect(try await second.ordinal == first.ordinal + 1)
        let refused = await #expect(throws: LogError.self) {
            try await bench.producer.send(old, producer: Self.start)
        }
        #expect(refused?.code == .takenOver)
        await old.end(.finished)
        await new.end(.finished)
        #expect(try await bench.gaps().isEmpty)
        await bench.log.close()
        #expect(try await bench.place.verify().isClean)
    }

    @Test func `a silent session loses its open fragment, whose part is kept as incomplete`()
        async throws
    {
        let bench = try await Bench { $0.silentTakeoverMilliseconds = 2000 }
        defer { bench.place.keep() }
        let old = try bench.stream.openSession(.test)
        let open = try await old.beginFragment(bench.producer.opening(producer: Self.start))
        try bench.producer.fill(open)
        bench.clock.pass(milliseconds: 2000)
        let new = try bench.stream.openSession(.test)
        let record = try await bench.producer.send(
            new,
            producer: Self.start.advanced(byMilliseconds: 5000)
        )
        let all = try await bench.stream.allFragments()
        #expect(all.map(\.number) == [open.number, record.number])
        #expect(all[0].flags.contains(.incomplete))
        #expect(!all[1].flags.contains(.incomplete))
        let refused = #expect(throws: LogError.self) { try bench.producer.fill(open) }
        #expect(refused?.code == .takenOver)
        await old.end(.finished)
        await new.end(.finished)
        await bench.log.close()
        #expect(try await bench.place.verify().isClean)
    }

    @Test func `a session that falls silent after the takeover does not hold up the newer one`()
        async throws
    {
        let bench = try await Bench { $0.silentTakeoverMilliseconds = 2000 }
        defer { bench.place.keep() }
        let old = try bench.stream.openSession(.test)
        let open = try await old.beginFragment(bench.producer.opening(producer: Self.start))
        try bench.producer.fill(open)
        let new = try bench.stream.openSession(.test)
        async let record = bench.producer.send(
            new,
            producer: Self.start.advanced(byMilliseconds: 5000)
        )
        // Until the watch has come by.
        while !open.isEnded {
            bench.clock.pass(milliseconds: 500)
            try await Task.sleep(for: .milliseconds(5))
        }
        #expect(try await record.number > open.number)
        await old.end(.finished)
        await new.end(.finished)
        await bench.log.close()
    }

    @Test func `two producers that fight are told apart, and newcomers are refused with a gap`()
        async throws
    {
        let bench = try await Bench()
        defer { bench.place.keep() }
        var sessions: [ProducerSession] = []
        var refusal: LogError?
        var time = Self.start
        for _ in 0..<10 {
            bench.clock.pass(milliseconds: 500)
            time = time.advanced(byMilliseconds: 500)
            do {
                let session = try bench.stream.openSession(.test)
                sessions.append(session)
                try await bench.producer.send(session, producer: time)
            } catch let error as LogError {
                refusal = error
                break
            }
        }
        #expect(refusal?.code == .contention)
        #expect(refusal?.message.contains("for another 60 s") == true)
        // Four got through: the first and three takeovers.
        #expect(try await bench.stream.allFragments().count == 4)
        let connection = #expect(throws: LogError.self) {
            _ = try bench.stream.openSession(.test)
        }
        #expect(connection?.code == .contention)
        // The one that sends goes on meanwhile.
        try await bench.producer.send(
            sessions[3],
            producer: time.advanced(byMilliseconds: 1000)
        )
        bench.clock.pass(milliseconds: 60_000)
        let later = try bench.stream.openSession(.test)
        try await bench.producer.send(later, producer: time.advanced(byMilliseconds: 90_000))
        for session in sessions + [later] { await session.end(.finished) }
        let gaps = try await bench.gaps()
        #expect(gaps.filter { $0.reason == .contention }.count == 2)
        await bench.log.close()
        #expect(try await bench.place.verify().isClean)
    }

    @Test func `hundreds of sessions at once on one stream lose nothing that was acknowledged`()
        async throws
    {
        let bench = try await Bench { $0.takeoversPerMinuteMax = 1_000_000 }
        defer { bench.place.keep() }
        let (stream, producer) = (bench.stream, bench.producer)
        let acknowledged = await withTaskGroup(of: [FragmentNumber].self) { group in
            for index in 0..<100 {
                group.addTask {
                    var numbers: [FragmentNumber] = []
                    guard let session = try? stream.openSession(.test) else { return [] }
                    for step in 0..<5 {
                        let time = Self.start.advanced(
                            byMilliseconds: Int64(index * 10 + step) * 1000
                        )
                        guard let record = try? await producer.send(session, producer: time) else {
                            break
                        }
                        numbers.append(record.number)
                    }
                    await session.end(.finished)
                    return numbers
                }
            }
            return await group.reduce(into: []) { $0 += $1 }
        }
        #expect(acknowledged.count >= 100)
        let stored = Set(try await stream.allFragments().map(\.number))
        #expect(Set(acknowledged).isSubset(of: stored))
        #expect(Set(acknowledged).count == acknowledged.count)
        await bench.log.close()
        #expect(try await bench.place.verify().isClean)
    }

    @Test func `a session that is cut off leaves its part, never acknowledged`() async throws {
        let bench = try await Bench()
        defer { bench.place.keep() }
        let session = try bench.stream.openSession(.test)
        let open = try await session.beginFragment(bench.producer.opening(producer: Self.start))
        try bench.producer.fill(open, samples: 5)
        await session.end(.disconnected)
        let all = try await bench.stream.allFragments()
        #expect(all.map(\.flags) == [[.incomplete]])
        #expect(all.map(\.sampleCount) == [5])
        #expect(all.map(\.durationMilliseconds) == [160])
        await bench.log.close()
        #expect(try await bench.place.verify().isClean)
    }

    @Test
    func `a fragment without a sample is not stored, and the next one is found by its own time`()
        async throws
    {
        let bench = try await Bench()
        defer { bench.place.keep() }
        let first = try bench.stream.openSession(.test)
        // Its number and times must not name and date the log segment of the next.
        let empty = try await first.beginFragment(
            bench.producer.opening(producer: Self.start.advanced(byMilliseconds: 3_600_000))
        )
        let refused = await #expect(throws: LogError.self) {
            _ = try await empty.finished(FragmentClosing(durationMilliseconds: 0))
        }
        #expect(refused?.code == .invalidArgument)
        let record = try await bench.producer.send(first, producer: Self.start)
        #expect(record.ordinal == 0)
        #expect(record.segment.first == record.number)
        let page = try await bench.stream.fragments(
            FragmentQuery(range: Self.start..<Self.start.advanced(byMilliseconds: 1))
        )
        #expect(page.fragments.map(\.number) == [record.number])
        await first.end(.finished)
        await bench.log.close()
        #expect(try await bench.place.verify().isClean)
    }

    @Test func `a fragment whose table cannot be written does not disturb the next`()
        async throws
    {
        let bench = try await Bench()
        defer { bench.place.keep() }
        let session = try bench.stream.openSession(.test)
        let bad = try await session.beginFragment(
            bench.producer.opening(producer: Self.start.advanced(byMilliseconds: 3_600_000))
        )
        try bench.producer.fill(bad, samples: 2)
        let refused = await #expect(throws: LogError.self) {
            _ = try await bad.finished(
                FragmentClosing(durationMilliseconds: 0, decodeTimes: [1])
            )
        }
        #expect(refused?.code == .invalidArgument)
        let record = try await bench.producer.send(session, producer: Self.start)
        let page = try await bench.stream.fragments(
            FragmentQuery(range: Self.start..<Self.start.advanced(byMilliseconds: 1))
        )
        #expect(page.fragments.map(\.number) == [record.number])
        await session.end(.finished)
        await bench.log.close()
        #expect(try await bench.place.verify().isClean)
    }

    @Test func `a gap that ends before it begins is stored without length, and others after it`()
        async throws
    {
        let bench = try await Bench()
        defer { bench.place.keep() }
        let session = try bench.stream.openSession(.test)
        try await bench.producer.send(session, producer: Self.start)
        for offset in [-1000, 0, 1000] as [Int64] {
            session.report(
                Gap(
                    start: Self.start,
                    end: Self.start.advanced(byMilliseconds: offset),
                    clock: .producer,
                    reason: .timestampJump
                )
            )
        }
        await session.end(.finished)
        let gaps = try await bench.gaps(.producer)
        #expect(gaps.map { $0.end.milliseconds(since: $0.start) } == [0, 0, 1000])
        await bench.log.close()
        let log = try await bench.place.open()
        #expect(log.damagedStreams.isEmpty)
        await log.close()
        #expect(try await bench.place.verify().isClean)
    }

    @Test func `what happens while stream.json cannot be written is noted once it can`()
        async throws
    {
        let bench = try await Bench()
        defer { bench.place.keep() }
        let session = try bench.stream.openSession(.test)
        try await bench.producer.send(session, producer: Self.start)
        // It stands where the replacement would be written.
        let obstacle = "\(bench.stream.directory)/stream.json.new"
        #expect(unsafe mkdir(obstacle, 0o700) == 0)
        await #expect(throws: LogError.self) { try await bench.log.deleteStream(.test()) }
        session.report(
            Gap(start: Self.start, end: Self.start, clock: .producer, reason: .timestampJump)
        )
        await session.end(.finished)
        #expect(unsafe rmdir(obstacle) == 0)

        let next = try bench.stream.openSession(.test)
        try await bench.producer.send(next, producer: Self.start.advanced(byMilliseconds: 1000))
        await next.end(.finished)
        #expect(try await bench.gaps(.producer).map(\.session) == [session.id])
        await bench.log.close()
        let log = try await bench.place.open()
        let crashes = try await log.stream(.test())?.gaps(
            in: Timestamp(milliseconds: 0)..<Timestamp.endOfTime,
            clock: .server,
            limit: 1000
        )
        #expect(crashes?.isEmpty == true, "both sessions ended")
        await log.close()
        #expect(try await bench.place.verify().isClean)
    }

    @Test func `sessions beyond the limit are refused and let in when one has ended`()
        async throws
    {
        let bench = try await Bench { $0.sessionsMax = 2 }
        defer { bench.place.keep() }
        let first = try bench.stream.openSession(.test)
        let second = try bench.stream.openSession(.test)
        let refused = #expect(throws: LogError.self) { _ = try bench.stream.openSession(.test) }
        #expect(refused?.code == .tooManySessions)
        await first.end(.finished)
        let third = try bench.stream.openSession(.test)
        #expect(bench.log.sessionCount == 2)
        await second.end(.finished)
        await third.end(.finished)
        #expect(bench.log.sessionCount == 0)
        await bench.log.close()
    }
}

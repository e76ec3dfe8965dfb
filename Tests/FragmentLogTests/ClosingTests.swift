@testable import FragmentLog
import LogTestSupport
import MediaModel
import TestSupport
import Testing

/// What a shutdown waits for, and what comes too late for it.
@Suite struct ClosingTests {
    private static let start = Timestamp(milliseconds: 1_795_255_200_000)

    /// A wait for the interval would take longer than the test may.
    @Test(.timeLimit(.minutes(1)))
    func `a shutdown does not wait for the sync interval and loses nothing`() async throws {
        let place = try TemporaryLog(clock: SteppedClock(Self.start))
        defer { place.keep() }
        let log = try await place.open()
        var settings = StreamSettings(name: .test())
        settings.durability = .interval(milliseconds: 60_000)
        let stream = try await log.createStream(settings)
        let session = try stream.openSession(.test)
        let producer = SyntheticProducer()
        let whole = try await session.beginFragment(producer.opening(producer: Self.start))
        try producer.fill(whole)
        let (results, outcome) = AsyncStream.makeStream(of: Bool.self)
        whole.finish(FragmentClosing(durationMilliseconds: 1000)) { result in
            outcome.yield((try? result.get()) != nil)
            outcome.finish()
        }
        let part = try await session.beginFragment(
            producer.opening(producer: Self.start.advanced(byMilliseconds: 1000))
        )
        try producer.fill(part)
        await log.close()
        for await isDurable in results { #expect(isDurable) }
        let again = try await place.open()
        let stored = try await #require(again.stream(.test())).allFragments()
        #expect(stored.map(\.number) == [whole.number, part.number])
        #expect(stored.map { $0.flags.contains(.incomplete) } == [false, true])
        await again.close()
        await session.end(.disconnected)
    }

    @Test func `a session that ends after the shutdown is found without an end`() async throws {
        let place = try TemporaryLog(clock: SteppedClock(Self.start))
        defer { place.keep() }
        let log = try await place.open()
        let stream = try await log.createStream(StreamSettings(name: .test()))
        let session = try stream.openSession(.test)
        try await SyntheticProducer().send(session, producer: Self.start)
        await log.close()
        let events = try place.bytes(try place.onlyFile("events.log"))
        session.report(
            Gap(start: Self.start, end: Self.start, clock: .server, reason: .disconnect)
        )
        await session.end(.finished)
        // Another server may own the directory by now.
        #expect(try place.bytes(try place.onlyFile("events.log")) == events)
        // A start notes it, a close waits until it is written.
        try await place.open().close()
        let again = try await place.open()
        let gaps = try await #require(again.stream(.test())).gaps(
            in: Timestamp(milliseconds: 0)..<Timestamp.endOfTime,
            clock: .server,
            limit: 10
        )
        #expect(gaps.map(\.reason) == [.crash])
        await again.close()
        #expect(try await place.verify().isClean)
    }
}

import Catalog
@testable import FragmentLog
import LogTestSupport
import MediaModel
import NIOCore
import TestSupport
import Testing

/// What expires, what is held, and what a wrong clock may not do.
@Suite struct RetentionTests {
    private static let start = Timestamp(milliseconds: 1_795_255_200_000)
    private static let hour: Int64 = 3_600_000

    private struct Bench {
        let place: TemporaryLog
        let clock: SteppedClock
        let log: FragmentLog
        let stream: StreamLog
        var sent: [FragmentRecord] = []

        init(retentionHours: Int = 24) async throws {
            clock = SteppedClock(RetentionTests.start)
            var place = try TemporaryLog(clock: clock)
            // The test sweeps when it says so.
            place.configuration.sweepMilliseconds = 3_600_000
            self.place = place
            log = try await place.open()
            stream = try await log.createStream(
                StreamSettings(name: .test(), retentionHours: retentionHours)
            )
        }

        /// One fragment an hour, each in a log segment of its own; a sweep after each.
        mutating func send(hours: Int, sweeps: Bool = true) async throws {
            let session = try stream.openSession(.test)
            for _ in 0..<hours {
                sent.append(
                    try await SyntheticProducer().send(session, producer: clock.now())
                )
                clock.pass(milliseconds: RetentionTests.hour)
                if sweeps { await log.sweep() }
            }
            await session.end(.finished)
        }

        var left: [FragmentNumber] {
            get async throws { try await stream.allFragments().map(\.number) }
        }

        func numbers(_ range: Range<Int>) -> [FragmentNumber] { sent[range].map(\.number) }
    }

    @Test func `log segments expire whole, past their retention and not before`() async throws {
        var bench = try await Bench()
        defer { bench.place.keep() }
        try await bench.send(hours: 30)
        // The clock shows 30 h; what ended by 6 h has expired.
        #expect(try await bench.left == bench.numbers(6..<30))
        let files = try bench.place.files().filter { $0.hasSuffix(".mkv") }
        #expect(files.count == 24)
        let oldest = try await bench.stream.oldest()
        #expect(oldest?.number == bench.sent[6].number)
        #expect(try await bench.stream.fragment(bench.sent[5].number) == nil)
        let error = await #expect(throws: LogError.self) {
            _ = try await bench.stream.read(bench.sent[5], .stored)
        }
        #expect(error?.code == .gone)
        await bench.log.close()
        #expect(try await bench.place.verify().isClean)
    }

    @Test func `a reader of what expires reads on to its end`() async throws {
        var bench = try await Bench()
        defer { bench.place.keep() }
        try await bench.send(hours: 2)
        let reader = try await bench.stream.open(bench.sent[0])
        let before = try await reader.read(at: 0, length: Int(bench.sent[0].storedLength))
        bench.clock.pass(milliseconds: 30 * Self.hour)
        await bench.log.sweep()
        #expect(try await bench.left == [])
        let after = try await reader.read(at: 0, length: Int(bench.sent[0].storedLength))
        #expect(before == after)
        var cursor = try await bench.stream.cursor(.earliest)
        guard case .end = try await cursor.next(follow: false) else {
            Issue.record("an expired fragment was given")
            return
        }
        await bench.log.close()
    }

    @Test func `ordinals and numbers go on when everything has expired, also after a restart`()
        async throws
    {
        var bench = try await Bench()
        defer { bench.place.keep() }
        try await bench.send(hours: 3)
        bench.clock.pass(milliseconds: 30 * Self.hour)
        await bench.log.sweep()
        #expect(try await bench.left == [])
        await bench.log.close()
        let log = try await bench.place.open()
        let stream = try #require(log.stream(.test()))
        let next = try await SyntheticProducer().send(
            try stream.openSession(.test),
            producer: bench.clock.now()
        )
        #expect(next.ordinal == 3)
        #expect(next.number > bench.sent[2].number)
        await log.close()
    }

    // MARK: Holds

    @Test func `nothing under a hold goes, and what is around it does`() async throws {
        var bench = try await Bench()
        defer { bench.place.keep() }
        try await bench.send(hours: 10)
        let held = bench.sent[3...5]
        try bench.stream.updateDocument { document in
            document.info.holds = [
                Hold(
                    id: "1",
                    from: held[3].producer,
                    to: held[5].producer,
                    reason: "x",
                    created: bench.clock.now()
                )
            ]
        }
        try await bench.send(hours: 50)
        #expect(try await bench.left == bench.numbers(3..<6) + bench.numbers(36..<60))
        await bench.log.close()
        #expect(try await bench.place.verify().isClean)
        let log = try await bench.place.open()
        let stream = try #require(log.stream(.test()))
        await log.sweep()
        #expect(try await stream.allFragments().prefix(3).map(\.number) == bench.numbers(3..<6))
        try stream.updateDocument { $0.info.holds = [] }
        await log.sweep()
        #expect(try await stream.allFragments().first?.number == bench.sent[36].number)
        await log.close()
    }

    @Test func `a hold of hundreds of log segments does not stop expiry behind it`() async throws {
        var bench = try await Bench()
        defer { bench.place.keep() }
        try await bench.send(hours: 150, sweeps: false)
        try bench.stream.updateDocument { document in
            document.info.holds = [
                Hold(
                    id: "1",
                    from: Self.start,
                    to: bench.sent[99].producer,
                    reason: "x",
                    created: Self.start
                )
            ]
        }
        await bench.log.sweep()
        // Of 150 hours the last 24 stay, and the hundred that are held.
        #expect(try await bench.left == bench.numbers(0..<100) + bench.numbers(126..<150))
        await bench.log.close()
    }

    @Test func `a stream with holds is not deleted`() async throws {
        var bench = try await Bench()
        defer { bench.place.keep() }
        try await bench.send(hours: 1)
        try bench.stream.updateDocument { document in
            document.info.holds = [
                Hold(
                    id: "1",
                    from: Self.start,
                    to: Self.start,
                    reason: "x",
                    created: Self.start
                )
            ]
        }
        let error = await #expect(throws: LogError.self) {
            try await bench.log.deleteStream(.test())
        }
        #expect(error?.code == .streamHeld)
        #expect(try await bench.left == bench.numbers(0..<1))
        try bench.stream.updateDocument { $0.info.holds = [] }
        try await bench.log.deleteStream(.test())
        #expect(bench.log.stream(.test()) == nil)
        await bench.log.close()
    }

    // MARK: Clocks

    @Test(arguments: [-1, 87_600] as [Int64])
    func `a step of the server clock expires nothing by mistake`(hours: Int64) async throws {
        var bench = try await Bench()
        defer { bench.place.keep() }
        try await bench.send(hours: 20)
        // A little more than an hour back; ten years ahead.
        bench.clock.step(wallMilliseconds: hours * Self.hour + (hours < 0 ? -1000 : 0))
        for _ in 0..<23 {
            await bench.log.sweep()
            bench.clock.pass(milliseconds: Self.hour)
        }
        #expect(try await bench.left == bench.numbers(0..<20))
        #expect(bench.stream.info.retentionPaused?.hasPrefix("clock:") == true)
        // It is set right; a day after that expiry goes on.
        bench.clock.step(wallMilliseconds: -hours * Self.hour + (hours < 0 ? 1000 : 0))
        for _ in 0..<23 {
            await bench.log.sweep()
            bench.clock.pass(milliseconds: Self.hour)
        }
        #expect(try await bench.left == bench.numbers(0..<20))
        bench.clock.pass(milliseconds: 2 * Self.hour)
        await bench.log.sweep()
        #expect(bench.stream.info.retentionPaused == nil)
        await bench.log.sweep()
        #expect(try await bench.left == [])
        await bench.log.close()
    }

    @Test func `footage that arrives while the clock is wrong is kept and found`() async throws {
        var bench = try await Bench()
        defer { bench.place.keep() }
        try await bench.send(hours: 3)
        bench.clock.step(wallMilliseconds: 87_600 * Self.hour)
        try await bench.send(hours: 3)
        bench.clock.step(wallMilliseconds: -87_600 * Self.hour)
        try await bench.send(hours: 3)
        #expect(try await bench.left == bench.numbers(0..<9))
        #expect(bench.sent.map(\.ordinal) == Array(0..<9))
        let numbers = bench.sent.map(\.number)
        #expect(numbers == numbers.sorted())
        let page = try await bench.stream.fragments(
            FragmentQuery(
                range: bench.sent[4].server..<bench.sent[4].server.advanced(byMilliseconds: 1),
                clock: .server
            )
        )
        #expect(page.fragments.map(\.number) == [numbers[4]])
        await bench.log.close()
        #expect(try await bench.place.verify().isClean)
    }

    @Test func `small steps back are clamped, larger ones begin a log segment`() async throws {
        var bench = try await Bench()
        defer { bench.place.keep() }
        let session = try bench.stream.openSession(.test)
        var producer = Self.start
        for step in [0, -9000, -500, -11_000] as [Int64] {
            bench.clock.step(wallMilliseconds: step)
            producer = producer.advanced(byMilliseconds: 1000)
            bench.sent.append(try await SyntheticProducer().send(session, producer: producer))
        }
        #expect(bench.sent[1].server == bench.sent[0].server)
        #expect(bench.sent[2].server == bench.sent[0].server)
        #expect(bench.sent[3].server < bench.sent[0].server)
        #expect(bench.sent[2].segment == bench.sent[0].segment)
        #expect(bench.sent[3].segment != bench.sent[0].segment)
        await session.end(.finished)
        await bench.log.close()
        #expect(try await bench.place.verify().isClean)
    }

    @Test(
        arguments: [
            (-25, true), (-2, true), (0, false), (23, false), (26, true), (87_600, true),
        ] as [(Int64, Bool)]
    )
    func `at start a clock before the footage or far behind it pauses expiry`(
        hours: Int64,
        pauses: Bool
    ) async throws {
        var bench = try await Bench()
        defer { bench.place.keep() }
        try await bench.send(hours: 3)
        await bench.log.close()
        bench.clock.step(wallMilliseconds: hours * Self.hour)
        let log = try await bench.place.open()
        let stream = try #require(log.stream(.test()))
        #expect((stream.info.retentionPaused != nil) == pauses)
        await log.sweep()
        if pauses {
            #expect(try await stream.allFragments().count == 3)
            try await log.resumeRetention(of: stream)
            await log.sweep()
            #expect(try await stream.allFragments().isEmpty == (hours >= 24))
        }
        await log.close()
    }

    @Test func `a restart right after a fast push does not distrust the clock`() async throws {
        let bench = try await Bench()
        defer { bench.place.keep() }
        let session = try bench.stream.openSession(.test)
        for index in 0..<3 {
            // Ten seconds of footage arrive at once.
            try await SyntheticProducer().send(
                session,
                producer: Self.start.advanced(byMilliseconds: Int64(index) * 10_000),
                durationMilliseconds: 10_000
            )
        }
        await session.end(.finished)
        await bench.log.close()
        let log = try await bench.place.open()
        #expect(log.stream(.test())?.info.retentionPaused == nil)
        await log.close()
    }

    // MARK: The ring of retention 0

    @Test func `a ring keeps five minutes, is read live and never listed`() async throws {
        var bench = try await Bench(retentionHours: 0)
        defer { bench.place.keep() }
        let session = try bench.stream.openSession(.test)
        for _ in 0..<120 {
            bench.sent.append(
                try await SyntheticProducer().send(session, producer: bench.clock.now())
            )
            bench.clock.pass(milliseconds: 10_000)
            await bench.log.sweep()
        }
        let left = try await bench.stream.allFragments()
        let age = bench.clock.now().milliseconds(since: try #require(left.first).server)
        #expect(age >= 300_000)
        #expect(age <= 345_000, "whole log segments of 30 s")
        let page = try await bench.stream.fragments(
            FragmentQuery(range: Self.start..<bench.clock.now())
        )
        #expect(page.fragments.isEmpty)
        await session.end(.finished)
        await bench.log.close()
        #expect(try await bench.place.verify().isClean)
    }

    @Test func `a ring keeps no more bytes than it may`() async throws {
        let clock = SteppedClock(Self.start)
        var place = try TemporaryLog(clock: clock)
        defer { place.keep() }
        place.configuration.sweepMilliseconds = 3_600_000
        place.configuration.ringBytes = 100_000
        place.configuration.roll.ringBytes = 20_000
        let log = try await place.open()
        let stream = try await log.createStream(
            StreamSettings(name: .test(), retentionHours: 0)
        )
        let session = try stream.openSession(.test)
        for _ in 0..<200 {
            try await SyntheticProducer().send(session, producer: clock.now(), bytes: 2000)
            clock.pass(milliseconds: 100)
            await log.sweep()
            let bytes = try place.files().filter { $0.hasSuffix(".mkv") }
                .reduce(0) { try $0 + place.bytes($1).readableBytes }
            #expect(bytes <= 130_000)
        }
        #expect(stream.head != nil)
        await session.end(.finished)
        await log.close()
    }

    // MARK: Deletion

    @Test func `what is held takes nothing of the ring`() async throws {
        let clock = SteppedClock(Self.start)
        var place = try TemporaryLog(clock: clock)
        defer { place.keep() }
        place.configuration.sweepMilliseconds = 3_600_000
        place.configuration.ringBytes = 6000
        place.configuration.roll.ringBytes = 1
        let log = try await place.open()
        let stream = try await log.createStream(
            StreamSettings(name: .test(), retentionHours: 0)
        )
        let session = try stream.openSession(.test)
        func send(_ count: Int) async throws -> [FragmentRecord] {
            var sent: [FragmentRecord] = []
            for _ in 0..<count {
                sent.append(
                    try await SyntheticProducer().send(
                        session,
                        producer: clock.now(),
                        samples: 1,
                        bytes: 2000
                    )
                )
                clock.pass(milliseconds: 1000)
            }
            return sent
        }
        let held = try await send(4)
        try stream.updateDocument { document in
            document.info.holds = [
                Hold(
                    id: "h",
                    from: held[0].producer,
                    to: held[3].producerEnd,
                    reason: "evidence",
                    created: clock.now()
                )
            ]
        }
        clock.pass(milliseconds: 1000)
        let live = try await send(4)
        await log.sweep()
        // The last one is under construction; before it two of more than 2 000 bytes fit.
        let left = try await stream.allFragments().map(\.number)
        #expect(left == (held + live.suffix(3)).map(\.number))
        await session.end(.finished)
        await log.close()
    }

    @Test func `a deletion that fails is taken up by the next sweep`() async throws {
        var bench = try await Bench()
        defer { bench.place.keep() }
        try await bench.send(hours: 3, sweeps: false)
        let segment = bench.sent[1].segment
        let media = "streams/\(segment.stream)/\(segment.first).mkv"
        // A directory cannot be unlinked like a file.
        try bench.place.remove(media)
        try bench.place.make(media)
        bench.clock.pass(milliseconds: 30 * Self.hour)
        await bench.log.sweep()
        // Invisible all the same.
        #expect(try await bench.left == [])
        #expect(try bench.log.rows.deletingSegments().map(\.first).contains(segment.first))
        try bench.place.remove(media)
        await bench.log.sweep()
        #expect(try bench.log.rows.deletingSegments().isEmpty)
        #expect(try bench.place.files().allSatisfy { !$0.hasSuffix(".mkv") })
        await bench.log.close()
        #expect(try await bench.place.verify().isClean)
    }

    @Test func `a file that cannot be removed does not keep others from expiring`() async throws {
        var bench = try await Bench()
        defer { bench.place.keep() }
        try await bench.send(hours: 3, sweeps: false)
        let stuck = bench.sent[0].segment
        let media = "streams/\(stuck.stream)/\(stuck.first).mkv"
        let bytes = try bench.place.bytes(media)
        try bench.place.remove(media)
        try bench.place.make(media)
        bench.clock.pass(milliseconds: 23 * Self.hour)
        for _ in 0..<4 {
            await bench.log.sweep()
            bench.clock.pass(milliseconds: Self.hour)
        }
        #expect(try await bench.left == [])
        let files = try bench.place.files().filter { $0.hasSuffix(".mkv") }
        #expect(files == [])
        // Nor does it keep the stream from being opened.
        await bench.log.close()
        let log = try await bench.place.open()
        #expect(log.stream(.test()) != nil)
        try bench.place.remove(media)
        try bench.place.replace(media, with: bytes)
        await log.sweep()
        #expect(try bench.place.files().filter { $0.hasSuffix(".mkv") } == [])
        await log.close()
        #expect(try await bench.place.verify().isClean)
    }

    @Test func `files of a deleted stream that stay are taken up by the next sweep`() async throws {
        var bench = try await Bench()
        defer { bench.place.keep() }
        try await bench.send(hours: 1, sweeps: false)
        let folder = "streams/\(bench.stream.id)"
        try bench.place.make("\(folder)/obstacle")
        try await bench.log.deleteStream(.test())
        await bench.log.sweep()
        #expect(try bench.place.files().contains("\(folder)/stream.json"))
        try bench.place.remove("\(folder)/obstacle")
        await bench.log.sweep()
        #expect(try bench.place.files().allSatisfy { !$0.hasPrefix("\(folder)/") })
        await bench.log.close()
        #expect(try await bench.place.verify().isClean)
    }

    @Test func `a deleted stream is gone at once and its name is free`() async throws {
        var bench = try await Bench()
        defer { bench.place.keep() }
        try await bench.send(hours: 2)
        let session = try bench.stream.openSession(.test)
        let open = try await session.beginFragment(
            SyntheticProducer().opening(producer: bench.clock.now())
        )
        try SyntheticProducer().fill(open)
        let reader = try await bench.stream.open(bench.sent[0])
        try await bench.log.deleteStream(.test())
        #expect(bench.log.stream(.test()) == nil)
        let again = try await bench.log.createStream(StreamSettings(name: .test()))
        #expect(again.id != bench.stream.id)
        #expect(again.head == nil)
        // Producer and readers of the old one get a defined end.
        let append = #expect(throws: LogError.self) { try SyntheticProducer().fill(open) }
        #expect(append?.code == .streamDeleted)
        let begin = await #expect(throws: LogError.self) {
            _ = try await session.beginFragment(
                SyntheticProducer().opening(producer: bench.clock.now())
            )
        }
        #expect(begin?.code == .streamDeleted)
        let list = await #expect(throws: LogError.self) {
            _ = try await bench.stream.fragments(
                FragmentQuery(range: Self.start..<bench.clock.now())
            )
        }
        #expect(list?.code == .streamDeleted)
        #expect(try await reader.read(at: 0, length: 10).readableBytes == 10)
        await session.end(.finished)
        await bench.log.close()
        let ids = Set(
            try bench.place.files().compactMap { $0.split(separator: "/").dropFirst().first }
        )
        #expect(ids.contains { $0 == again.id.description })
        #expect(!ids.contains { $0 == bench.stream.id.description })
        #expect(try await bench.place.verify().isClean)
        let log = try await bench.place.open()
        #expect(log.streams().map(\.id) == [again.id])
        await log.close()
    }

    @Test func `a follower of a deleted stream comes to an end`() async throws {
        let bench = try await Bench()
        defer { bench.place.keep() }
        let stream = bench.stream
        let follower = Task {
            var cursor = try await stream.cursor(.earliest)
            while true {
                if case .end = try await cursor.next(follow: true) { return true }
            }
        }
        try await bench.log.deleteStream(.test())
        #expect(try await follower.value)
        await bench.log.close()
    }
}

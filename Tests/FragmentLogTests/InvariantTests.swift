import Catalog
@testable import FragmentLog
import LogTestSupport
import Matroska
import MediaModel
import NIOCore
import TestSupport
import Testing

/// The seven invariants of the log, each seen from outside; the subjects' own tests go deeper.
@Suite struct InvariantTests {
    private static let start = Timestamp(milliseconds: 1_795_255_200_000)

    /// A log that was used, killed and restarted; what was acknowledged, by its rounds.
    private func used(rounds: Int) async throws -> (TemporaryLog, [[FragmentRecord]]) {
        let clock = SteppedClock(Self.start)
        var place = try TemporaryLog(clock: clock)
        place.configuration.roll.bytes = 1500
        var sent: [[FragmentRecord]] = []
        for round in 0..<rounds {
            let log = try await place.open()
            let stream = try await log.streamCreatingIfMissing(.test())
            let session = try stream.openSession(.test)
            var records: [FragmentRecord] = []
            for _ in 0..<7 {
                clock.pass(milliseconds: 1000)
                records.append(try await SyntheticProducer().send(session, producer: clock.now()))
            }
            sent.append(records)
            // As a kill leaves it: a copy of the files while the session and a fragment are open.
            let open = try await session.beginFragment(
                SyntheticProducer().opening(producer: clock.now())
            )
            try SyntheticProducer().fill(open)
            let copy = try place.copied()
            await session.end(.finished)
            await log.close()
            place.keep()
            place = copy
            if round % 2 == 1 { clock.step(wallMilliseconds: -1_800_000) }
        }
        return (place, sent)
    }

    @Test func `1: a fragment that the index lists has all its bytes and its CRC matches`()
        async throws
    {
        let (place, _) = try await used(rounds: 3)
        defer { place.keep() }
        let log = try await place.open()
        let stream = try #require(log.stream(.test()))
        for record in try await stream.allFragments() {
            let bytes = try await stream.read(record, .stored)
            #expect(bytes.readableBytes == Int(record.storedLength))
            #expect(CRC32.of(bytes) == record.fragmentCRC)
            let parsed = try StoredFragment.parse(bytes)
            var again = FragmentRecord(parsed, segment: record.segment)
            again.offset = record.offset
            again.position = record.position
            again.producerReachMilliseconds = record.producerReachMilliseconds
            again.serverReachMilliseconds = record.serverReachMilliseconds
            #expect(again == record, "the stored bytes say what the index says")
        }
        await log.close()
    }

    @Test func `2: log segments and indexes only grow`() async throws {
        var place = try TemporaryLog(clock: SteppedClock(Self.start))
        defer { place.keep() }
        place.configuration.roll.bytes = 1500
        let log = try await place.open()
        let stream = try await log.createStream(StreamSettings(name: .test()))
        let session = try stream.openSession(.test)
        var seen: [String: ByteBuffer] = [:]
        for index in 0..<12 {
            try await SyntheticProducer().send(
                session,
                producer: Self.start.advanced(byMilliseconds: Int64(index) * 1000)
            )
            for name in try place.files() where name.hasSuffix(".mkv") || name.hasSuffix(".idx") {
                let bytes = try place.bytes(name)
                if let before = seen[name] {
                    #expect(bytes.getSlice(at: 0, length: before.readableBytes) == before)
                }
                seen[name] = bytes
            }
        }
        await session.end(.finished)
        await log.close()
        // Nor does a start change what was acknowledged.
        await (try place.open()).close()
        for (name, before) in seen {
            let bytes = try place.bytes(name)
            #expect(bytes.getSlice(at: 0, length: before.readableBytes) == before)
        }
    }

    @Test func `3: numbers increase and are never given out again`() async throws {
        let (place, sent) = try await used(rounds: 6)
        defer { place.keep() }
        let numbers = sent.flatMap { $0 }.map(\.number)
        #expect(zip(numbers, numbers.dropFirst()).allSatisfy { $0 < $1 })
        let ordinals = sent.flatMap { $0 }.map(\.ordinal)
        #expect(ordinals == Array(0..<UInt64(ordinals.count)))
        // After the repair of a lost catalog and document they go on far above.
        for name in try place.files() where name.contains("sqlite") || name.hasSuffix(".json") {
            if !name.hasSuffix("volume.json") { try place.remove(name) }
        }
        _ = try await place.repair()
        let log = try await place.open()
        let stream = try #require(log.streams().first)
        let next = try await SyntheticProducer().send(
            try stream.openSession(.test),
            producer: Self.start
        )
        #expect(next.number.sequence >= (numbers.last?.sequence ?? 0) + 1_000_000)
        #expect(next.ordinal == UInt64(ordinals.count))
        await log.close()
    }

    @Test(arguments: [Durability.sync, .interval(milliseconds: 5), .none])
    func `4: a fragment is acknowledged only when a crash cannot take it`(
        durability: Durability
    ) async throws {
        let place = try TemporaryLog(clock: SteppedClock(Self.start))
        defer { place.keep() }
        let log = try await place.open()
        var settings = StreamSettings(name: .test())
        settings.durability = durability
        let stream = try await log.createStream(settings)
        let session = try stream.openSession(.test)
        for index in 0..<5 {
            let record = try await SyntheticProducer().send(
                session,
                producer: Self.start.advanced(byMilliseconds: Int64(index) * 1000)
            )
            // The files at the moment of the acknowledgement; syncs are the power cuts' matter.
            let copy = try place.copied()
            defer { copy.keep() }
            let again = try await copy.open()
            let copied = try #require(again.stream(.test()))
            #expect(try await copied.fragment(record.number)?.fragmentCRC == record.fragmentCRC)
            _ = try await copied.read(record, .stored)
            await again.close()
        }
        await session.end(.finished)
        await log.close()
    }

    @Test func `5: a crash loses open fragments only, and a gap says so`() async throws {
        let (place, sent) = try await used(rounds: 4)
        defer { place.keep() }
        let log = try await place.open()
        let stream = try #require(log.stream(.test()))
        #expect(
            try await stream.allFragments().map(\.number) == sent.flatMap { $0 }.map(\.number)
        )
        await log.close()
        let again = try await place.open()
        let gaps = try await (try #require(again.stream(.test()))).gaps(
            in: Timestamp(milliseconds: 0)..<Timestamp.endOfTime,
            clock: .server,
            limit: 100
        )
        #expect(gaps.map(\.reason) == Array(repeating: .crash, count: 4))
        #expect(Set(gaps.map(\.session)) == Set(sent.compactMap { $0.last?.session }))
        #expect(Set(gaps.compactMap(\.after)) == Set(sent.compactMap { $0.last?.number }))
        await again.close()
    }

    @Test func `6: what is past retention is invisible before its file goes`() async throws {
        let clock = SteppedClock(Self.start)
        var place = try TemporaryLog(clock: clock)
        defer { place.keep() }
        place.configuration.sweepMilliseconds = 3_600_000
        let log = try await place.open()
        let stream = try await log.createStream(StreamSettings(name: .test(), retentionHours: 1))
        let session = try stream.openSession(.test)
        let old = try await SyntheticProducer().send(session, producer: clock.now())
        clock.pass(milliseconds: 700_000)
        let new = try await SyntheticProducer().send(session, producer: clock.now())
        // A file that cannot be unlinked, because a directory of its name lies in its place.
        let media = "streams/\(stream.id)/\(old.segment.first).mkv"
        let bytes = try place.bytes(media)
        try place.remove(media)
        try place.make(media)
        clock.pass(milliseconds: 3_000_000)
        await log.sweep()
        #expect(try log.rows.deletingSegments().map(\.first) == [old.segment.first])
        #expect(try await stream.fragment(old.number) == nil)
        #expect(try await stream.allFragments().map(\.number) == [new.number])
        // It goes with the next start at the latest.
        try place.remove(media)
        try place.replace(media, with: bytes)
        await session.end(.finished)
        await log.close()
        await (try place.open()).close()
        #expect(!(try place.files().contains { $0.contains("\(old.segment.first)") }))
        #expect(try await place.verify().isClean)
    }

    @Test func `7: recovery needs only the files`() async throws {
        let (place, sent) = try await used(rounds: 3)
        defer { place.keep() }
        for name in try place.files() where name.contains("sqlite") || name.hasSuffix(".idx") {
            try place.remove(name)
        }
        let refused = await #expect(throws: LogError.self) { _ = try await place.open() }
        #expect(refused?.message.contains("kinelog verify --repair") == true)
        let report = try await place.repair()
        #expect(report.after.isClean, "\(report.after.findings)")
        let log = try await place.open()
        let stream = try #require(log.stream(.test()))
        #expect(
            try await stream.allFragments().map(\.number) == sent.flatMap { $0 }.map(\.number)
        )
        #expect(stream.info.retentionPaused?.hasPrefix("repair:") == true)
        await log.close()
    }
}

@testable import Catalog
@testable import FragmentLog
import LogTestSupport
import MediaModel
import NIOCore
import TestSupport
import Testing

/// What a repair brings back, and what it leaves alone.
@Suite struct RepairTests {
    private static let start = Timestamp(milliseconds: 1_795_255_200_000)

    /// Everything about a log that a repair has to bring back.
    private struct Memory: Equatable {
        var fragments: [String: [FragmentNumber]] = [:]
        var bytes: [FragmentNumber: ByteBuffer] = [:]
        var holds: [String: [Hold]] = [:]
        var gaps: [String: [Gap]] = [:]
    }

    private func remember(_ place: TemporaryLog) async throws -> Memory {
        let log = try await place.open()
        var memory = Memory()
        let all = Timestamp(milliseconds: .min)..<Timestamp(milliseconds: .max)
        for stream in log.streams() {
            let name = stream.name.text
            for record in try await stream.allFragments() {
                memory.fragments[name, default: []].append(record.number)
                memory.bytes[record.number] = try await stream.read(record, .stored)
            }
            memory.holds[name] = stream.info.holds
            for clock in StreamClock.allCases {
                memory.gaps[name, default: []] += try await stream.gaps(
                    in: all,
                    clock: clock,
                    limit: 1000
                )
            }
        }
        await log.close()
        return memory
    }

    private func firstFile(_ place: TemporaryLog, _ suffix: String) throws -> String {
        guard let name = try place.files().first(where: { $0.hasSuffix(suffix) }) else {
            throw TestFailure("no file ends in \(suffix)")
        }
        return name
    }

    @Test func `a sound directory is not touched`() async throws {
        let place = try await VerifyTests.small()
        defer { place.keep() }
        _ = try await place.verify()
        let before = try place.files().map { ($0, try place.bytes($0)) }
        let report = try await place.repair()
        #expect(report.actions == [])
        #expect(report.losses == [])
        #expect(try place.files() == before.map(\.0))
        for (name, bytes) in before where !name.contains("sqlite") {
            #expect(try place.bytes(name) == bytes, "\(name)")
        }
    }

    @Test func `with both databases lost everything but their own comes back`() async throws {
        let place = try await VerifyTests.small()
        defer { place.keep() }
        let before = try await remember(place)
        #expect(before.gaps["a"]?.count == 1)
        #expect(before.fragments["a"]?.count == 5)
        for name in try place.files() where name.contains("sqlite") { try place.remove(name) }
        let report = try await place.repair()
        #expect(report.after.isClean, "\(report.after.findings)")
        #expect(report.losses.contains { $0.contains("keys and sources, is lost") })
        #expect(report.losses.contains { $0.contains("Consumers are lost") })
        #expect(try await remember(place) == before)

        let log = try await place.open()
        for stream in log.streams() {
            #expect(stream.info.retentionPaused?.hasPrefix("repair:") == true)
            let greatest = try #require(before.fragments[stream.name.text]?.map(\.sequence).max())
            let record = try await SyntheticProducer().send(
                try stream.openSession(.test),
                producer: Self.start.advanced(byMilliseconds: 60_000)
            )
            #expect(record.number.sequence >= greatest + 1_000_000)
            #expect(record.ordinal == 6)
            #expect(record.session == 2)
            try await log.resumeRetention(of: stream)
            #expect(stream.info.retentionPaused == nil)
        }
        await log.close()
    }

    @Test func `a second repair finds nothing to do`() async throws {
        let place = try await VerifyTests.small()
        defer { place.keep() }
        for name in try place.files() where name.contains("sqlite") { try place.remove(name) }
        try place.remove(try firstFile(place, ".idx"))
        _ = try await place.repair()
        let files = try place.files()
        let report = try await place.repair()
        #expect(report.actions == [])
        #expect(try place.files() == files)
    }

    @Test func `expiry stays paused over restarts and days until an operator resumes it`()
        async throws
    {
        let clock = SteppedClock(Self.start)
        let place = try await VerifyTests.small().with { $0.clock = clock }
        defer { place.keep() }
        try place.remove("catalog.sqlite")
        _ = try await place.repair()
        var log = try await place.open()
        var stream = try #require(log.stream(.test("a")))
        for _ in 0..<80 {
            clock.pass(milliseconds: 3_600_000)
            await log.sweep()
        }
        await log.close()
        log = try await place.open()
        stream = try #require(log.stream(.test("a")))
        #expect(try await stream.allFragments().count == 5)
        try await log.resumeRetention(of: stream)
        await log.sweep()
        // The hold covers the first log segment of the stream.
        let left = try await stream.allFragments()
        #expect(left.count < 5)
        await log.close()
    }

    @Test func `damaged databases are moved aside, not removed`() async throws {
        let place = try await VerifyTests.small()
        defer { place.keep() }
        try place.replace("catalog.sqlite", with: ByteBuffer(repeating: 1, count: 9000))
        try place.replace("consumers.sqlite", with: ByteBuffer(repeating: 2, count: 9000))
        let report = try await place.repair()
        #expect(report.after.isClean)
        #expect(try place.bytes("catalog.sqlite.damaged-1").readableBytes == 9000)
        #expect(try place.bytes("consumers.sqlite.damaged-1").readableBytes == 9000)
    }

    @Test func `a copy serves as the ground, and as names of streams without documents`()
        async throws
    {
        let clock = SteppedClock(Self.start)
        let place = try await VerifyTests.small().with { configuration in
            configuration.clock = clock
            configuration.copyMilliseconds = 3_600_000
        }
        defer { place.keep() }
        let before = try await remember(place)
        let log = try await place.open()
        while try place.files().count(where: { $0.hasPrefix("copies/") }) < 2 {
            try await Task.sleep(for: .milliseconds(10))
        }
        await log.close()
        for name in try place.files()
        where name.hasPrefix("catalog.sqlite") || name.hasPrefix("consumers.sqlite") {
            try place.remove(name)
        }
        for name in try place.files() where name.hasSuffix("stream.json") { try place.remove(name) }
        let report = try await place.repair()
        #expect(report.after.isClean, "\(report.after.findings)")
        #expect(report.losses.count { $0.contains("as it was when") } == 1)
        let after = try await remember(place)
        // Deleted ranges and holds were in the documents alone.
        #expect(Set(after.fragments.keys) == Set(before.fragments.keys))
        #expect(after.fragments["a"]?.count == 6)
        #expect(after.holds["a"] == [])
        #expect(after.gaps == before.gaps)
    }

    @Test func `a stream without document and name is recovered under its identity`()
        async throws
    {
        let place = try await VerifyTests.small()
        defer { place.keep() }
        for name in try place.files()
        where name.contains("sqlite") || name.hasSuffix("stream.json") {
            try place.remove(name)
        }
        let report = try await place.repair()
        #expect(report.after.isClean, "\(report.after.findings)")
        let log = try await place.open()
        #expect(log.streams().count == 2)
        for stream in log.streams() {
            #expect(stream.name.text == "recovered-\(stream.id)")
            #expect(stream.info.settings.retentionHours == StreamSettings.retentionHoursMax)
            #expect(try await stream.allFragments().count == 6)
        }
        await log.close()
    }

    @Test func `a stream document with a flipped byte is read all the same`() async throws {
        let place = try await VerifyTests.small()
        defer { place.keep() }
        let name = try firstFile(place, "stream.json")
        let text = String(buffer: try place.bytes(name))
        try place.replace(
            name,
            with: ByteBuffer(string: text.replacing("\"seen\"", with: "\"sean\""))
        )
        let report = try await place.repair()
        #expect(report.after.isClean, "\(report.after.findings)")
        #expect(report.losses.contains { $0.contains("look over settings, holds") })
        let log = try await place.open()
        #expect(Set(log.streams().flatMap(\.info.holds).map(\.reason)) == ["seen", "sean"])
        #expect(try place.files().contains { $0.hasSuffix("stream.json.damaged-1") })
        await log.close()
    }

    @Test func `two documents of one name become two streams`() async throws {
        let place = try await VerifyTests.small()
        defer { place.keep() }
        let names = try place.files().filter { $0.hasSuffix("stream.json") }
        let (first, second) = (try place.bytes(names[0]), try place.bytes(names[1]))
        #expect(first != second)
        try place.replace(names[1], with: first)
        let report = try await place.repair()
        #expect(report.after.isClean, "\(report.after.findings)")
        let log = try await place.open()
        #expect(log.streams().count == 2)
        for stream in log.streams() {
            #expect(try await stream.allFragments().count >= 5)
        }
        await log.close()
    }

    @Test(arguments: ["missing", "header", "record", "empty", "foreign"])
    func `an index is written anew from its log segment`(damage: String) async throws {
        let place = try await VerifyTests.small()
        defer { place.keep() }
        let before = try await remember(place)
        let name = try firstFile(place, ".idx")
        let pristine = try place.bytes(name)
        switch damage {
        case "missing": try place.remove(name)
        case "header": try place.flip(name, at: 5)
        case "record": try place.flip(name, at: 128 + 40)
        case "empty": try place.replace(name, with: ByteBuffer())
        default:
            let others = try place.files().filter { $0.hasSuffix(".idx") && $0 != name }
            try place.replace(name, with: try place.bytes(try #require(others.last)))
        }
        let report = try await place.repair()
        #expect(report.after.isClean, "\(report.after.findings)")
        #expect(try place.bytes(name) == pristine)
        #expect(try await remember(place) == before)
    }

    @Test(arguments: [true, false], [0, 1] as [UInt32])
    func `a damaged fragment stays where it is, is reported and never served`(
        isIndexLost: Bool,
        position: UInt32
    ) async throws {
        let place = try await VerifyTests.small()
        defer { place.keep() }
        let before = try await remember(place)
        // A log segment of several fragments, and the second one of them.
        let log = try await place.open()
        let stream = try #require(log.stream(.test("b")))
        let records = try await stream.allFragments()
        let victim = try #require(
            records.first { record in
                record.position == position
                    && records.contains {
                        $0.segment == record.segment && $0.position > position
                    }
            },
            "\(records.map { ($0.position, $0.offset, $0.storedLength) })"
        )
        await log.close()
        let media = "streams/\(victim.segment.stream)/\(victim.segment.first).mkv"
        try place.flip(media, at: Int(victim.extent(of: .cluster).offset) + 30)
        let damaged = try place.bytes(media)
        if isIndexLost { try place.remove(media.replacing(".mkv", with: ".idx")) }
        try place.remove("catalog.sqlite")
        let report = try await place.repair()
        #expect(try place.bytes(media) == damaged, "no footage is changed")
        #expect(!report.after.isClean)
        #expect(!report.after.needsRepair, "\(report.after.findings)")
        #expect(report.losses.contains { $0.contains(media) })

        let again = try await place.open()
        let repaired = try #require(again.stream(.test("b")))
        let listed = try await repaired.allFragments()
        #expect(listed.count == records.count - (isIndexLost ? 1 : 0))
        for record in listed {
            do {
                let bytes = try await repaired.read(record, .stored)
                #expect(record.number != victim.number)
                #expect(bytes == before.bytes[record.number])
            } catch {
                #expect(record.number == victim.number)
                #expect(error.code == .damaged)
            }
        }
        // What follows does not reuse the missing ordinal.
        let next = try await SyntheticProducer().send(
            try repaired.openSession(.test),
            producer: Self.start.advanced(byMilliseconds: 90_000)
        )
        #expect(next.ordinal == 6)
        await again.close()
        let second = try await place.repair()
        #expect(second.actions == [])
    }

    @Test func `a lost log segment is reported and the others stay`() async throws {
        let place = try await VerifyTests.small()
        defer { place.keep() }
        let media = try firstFile(place, ".mkv")
        try place.remove(media)
        let report = try await place.repair()
        #expect(report.losses.contains { $0.contains(media) && $0.contains("missing") })
        #expect(report.after.isClean, "\(report.after.findings)")
        let log = try await place.open()
        for stream in log.streams() {
            for record in try await stream.allFragments() {
                _ = try await stream.read(record, .stored)
            }
        }
        await log.close()
    }

    @Test func `events around a damaged one come back`() async throws {
        let place = try await VerifyTests.small()
        defer { place.keep() }
        let name = try firstFile(place, "events.log")
        try place.flip(name, at: 20)
        let report = try await place.repair()
        #expect(report.after.isClean, "\(report.after.findings)")
        #expect(report.losses.contains { $0.contains("sessions or gaps") })
        let memory = try await remember(place)
        #expect(memory.gaps.values.allSatisfy { $0.count == 1 })
        #expect(try place.files().contains { $0.hasSuffix("events.log.damaged-1") })
    }

    @Test(arguments: [["format"], ["streams/volume.json"], ["format", "streams/volume.json"]])
    func `a lost identity is written anew`(lost: [String]) async throws {
        let place = try await VerifyTests.small()
        defer { place.keep() }
        let before = try await remember(place)
        for name in lost { try place.remove(name) }
        let report = try await place.repair()
        #expect(report.after.isClean, "\(report.after.findings)")
        #expect(try await remember(place) == before)
    }

    @Test func `another volume and a volume that is not mounted are refused`() async throws {
        let place = try await VerifyTests.small()
        defer { place.keep() }
        try place.replace(
            "streams/volume.json",
            with: ByteBuffer(string: "{\"volume\":\"99\"}\n")
        )
        await #expect(throws: LogError.self) { _ = try await place.repair() }
        try place.remove("streams")
        try place.make("streams")
        let error = await #expect(throws: LogError.self) { _ = try await place.repair() }
        #expect(error?.code == .volumeMissing)
    }

    @Test func `a repair beside a running server is refused`() async throws {
        let place = try await VerifyTests.small()
        defer { place.keep() }
        let log = try await place.open()
        let error = await #expect(throws: LogError.self) { _ = try await place.repair() }
        #expect(error?.code == .locked)
        await log.close()
    }

    @Test func `whatever a kill left, a repair without databases gives what a start gives`()
        async throws
    {
        let place = try TemporaryLog(clock: SteppedClock(Self.start))
        defer { place.keep() }
        let log = try await place.open()
        let stream = try await log.createStream(StreamSettings(name: .test()))
        let session = try stream.openSession(.test)
        var sent: [FragmentNumber] = []
        for index in 0..<4 {
            sent.append(
                try await SyntheticProducer().send(
                    session,
                    producer: Self.start.advanced(byMilliseconds: Int64(index) * 1000)
                ).number
            )
        }
        // As a kill leaves it: the session open, bytes behind the last fragment.
        let killed = try place.copied()
        defer { killed.keep() }
        await session.end(.finished)
        await log.close()
        let media = try killed.onlyFile(".mkv")
        var bytes = try killed.bytes(media)
        bytes.writeBytes([UInt8](repeating: 0xEC, count: 70))
        try killed.replace(media, with: bytes)
        for name in try killed.files() where name.contains("sqlite") { try killed.remove(name) }
        let report = try await killed.repair()
        #expect(report.after.isClean, "\(report.after.findings)")
        let again = try await killed.open()
        let repaired = try #require(again.stream(.test()))
        #expect(try await repaired.allFragments().map(\.number) == sent)
        await again.close()
        let memory = try await remember(killed)
        #expect(memory.gaps["cam"]?.map(\.reason) == [.crash])
    }
}

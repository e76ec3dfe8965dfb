@testable import FragmentLog
import LogTestSupport
import Matroska
import MediaModel
import NIOCore
import Synchronization
import TestSupport
import Testing

/// What a check finds.
@Suite struct VerifyTests {
    private static let start = Timestamp(milliseconds: 1_795_255_200_000)

    /// Two streams, several log segments, sessions, gaps, a hold and a deleted range; closed.
    static func small(
        streams: [String] = ["a", "b"],
        fragments: Int = 6
    ) async throws -> TemporaryLog {
        var place = try TemporaryLog(clock: SteppedClock(start))
        place.configuration.roll.bytes = 1500
        let log = try await place.open()
        for name in streams {
            let stream = try await log.createStream(StreamSettings(name: .test(name)))
            let session = try stream.openSession(.test)
            let producer = SyntheticProducer()
            var numbers: [FragmentNumber] = []
            for index in 0..<fragments {
                let record = try await producer.send(
                    session,
                    producer: start.advanced(byMilliseconds: Int64(index) * 1000),
                    bytes: 60,
                    seed: UInt8(index),
                    tagsAfter: TagsWriter.plain([TagItem(name: "N", value: "\(index)")])
                )
                numbers.append(record.number)
            }
            session.report(
                Gap(
                    start: start,
                    end: start.advanced(byMilliseconds: 10),
                    clock: .producer,
                    reason: .noSync
                )
            )
            await session.end(.finished)
            try stream.updateDocument { document in
                document.deletedRanges = [numbers[1]...numbers[1]]
                document.info.holds = [
                    Hold(
                        id: "1",
                        from: start,
                        to: start.advanced(byMilliseconds: 500),
                        reason: "seen",
                        created: start
                    )
                ]
            }
        }
        await log.close()
        // Everything sealed: the start closes what was open, and nothing is sent afterwards.
        try await place.open().close()
        return place
    }

    @Test func `a sound directory has no findings and everything is counted`() async throws {
        let place = try await Self.small()
        defer { place.keep() }
        let seen = Mutex<[VerifyProgress]>([])
        let report = try await FragmentLog.verify(
            directory: place.configuration.directory,
            clock: place.configuration.clock,
            progress: { progress in seen.withLock { $0.append(progress) } }
        )
        #expect(report.findings == [])
        #expect(report.streamCount == 2)
        #expect(report.fragmentCount == 12)
        #expect(report.deletedFragmentCount == 2)
        #expect(report.gapCount == 2)
        #expect(report.eventCount == 6)
        let progress = seen.withLock { $0 }
        #expect(progress.last?.byteCount == report.byteCount)
        #expect(progress.last?.segmentsDone == progress.last?.segmentCount)
        #expect(Set(progress.map(\.stream)) == ["a", "b"])
        #expect(progress.allSatisfy { $0.streamCount == 2 })
    }

    @Test func `beside a running server what is published is checked, while producers send`()
        async throws
    {
        var place = try TemporaryLog()
        defer { place.keep() }
        place.configuration.roll.bytes = 2500
        let log = try await place.open()
        let stream = try await log.createStream(StreamSettings(name: .test()))
        let session = try stream.openSession(.test)
        let sending = Task {
            var time = Self.start
            var count: UInt64 = 0
            while !Task.isCancelled {
                time = time.advanced(byMilliseconds: 1000)
                try await SyntheticProducer().send(session, producer: time)
                count += 1
            }
            return count
        }
        var last: UInt64 = 0
        for _ in 0..<20 {
            let report = try await log.verify()
            #expect(report.findings == [])
            #expect(report.fragmentCount >= last)
            last = report.fragmentCount
        }
        sending.cancel()
        let count = try await sending.value
        let report = try await log.verify()
        #expect(report.findings == [])
        #expect(report.fragmentCount == count)
        #expect(try await log.verify().isClean)
        await log.close()
    }

    @Test func `beside a running server a flipped byte is found`() async throws {
        let place = try await Self.small()
        defer { place.keep() }
        let log = try await place.open()
        #expect(try await log.verify().findings == [])
        let media = try #require(try place.files().last { $0.hasSuffix(".mkv") })
        try place.flip(media, at: try place.bytes(media).readableBytes - 30)
        let report = try await log.verify()
        #expect(report.damageCount == 1)
        #expect(report.findings.first?.subject == .fragment)
        #expect(report.findings.first?.file == media)
        await log.close()
    }

    @Test func `a check changes nothing`() async throws {
        let place = try await Self.small()
        defer { place.keep() }
        try place.flip(try #require(try place.files().first { $0.hasSuffix(".idx") }), at: 200)
        let before = try place.files().filter { !$0.hasPrefix("catalog") && !$0.hasPrefix("cons") }
            .map { try place.bytes($0) }
        _ = try await place.verify()
        let after = try place.files().filter { !$0.hasPrefix("catalog") && !$0.hasPrefix("cons") }
            .map { try place.bytes($0) }
        #expect(before == after)
    }

    /// What a crash leaves is no damage: a torn tail of every length, at sync.
    @Test func `what a kill leaves behind are notices`() async throws {
        let clock = SteppedClock(Self.start)
        let place = try TemporaryLog(clock: clock)
        defer { place.keep() }
        let log = try await place.open()
        let stream = try await log.createStream(StreamSettings(name: .test()))
        let session = try stream.openSession(.test)
        for index in 0..<3 {
            try await SyntheticProducer().send(
                session,
                producer: Self.start.advanced(byMilliseconds: Int64(index) * 1000)
            )
        }
        let directory = try place.copied()
        defer { directory.keep() }
        await session.end(.finished)
        await log.close()
        let media = try directory.onlyFile(".mkv")
        let index = try directory.onlyFile(".idx")
        var torn = try directory.bytes(media)
        torn.writeBytes([UInt8](repeating: 0x11, count: 99))
        try directory.replace(media, with: torn)
        var record = try directory.bytes(index)
        record.writeBytes([1, 2, 3])
        try directory.replace(index, with: record)
        try directory.replace(
            media.replacing(".mkv", with: "x").dropLast(48) + "open-1-4.part",
            with: ByteBuffer(string: "spilled")
        )
        let report = try await directory.verify()
        #expect(report.isClean)
        #expect(report.findings.count { $0.subject == .tornTail } == 2)
        #expect(report.findings.count { $0.subject == .leftover } == 1)
        #expect(report.findings.allSatisfy { $0.remedy == .start })
    }

    struct Damage: Sendable, CustomTestStringConvertible {
        var name: String
        var subject: VerifyFinding.Subject
        var remedy: VerifyFinding.Remedy
        var make: @Sendable (TemporaryLog) throws -> Void

        var testDescription: String { name }
    }

    @Test(arguments: [
        Damage(name: "no format", subject: .layout, remedy: .repair) { try $0.remove("format") },
        Damage(name: "no volume.json", subject: .volume, remedy: .repair) {
            try $0.remove("streams/volume.json")
        },
        Damage(name: "a foreign volume", subject: .volume, remedy: .mount) {
            try $0.replace(
                "streams/volume.json",
                with: ByteBuffer(string: "{\"volume\":\"123\"}\n")
            )
        },
        Damage(name: "no catalog", subject: .catalog, remedy: .repair) {
            try $0.remove("catalog.sqlite")
        },
        Damage(name: "no consumers", subject: .consumers, remedy: .repair) {
            try $0.remove("consumers.sqlite")
        },
        Damage(name: "no stream.json", subject: .document, remedy: .repair) {
            try $0.remove(try firstFile($0, "stream.json"))
        },
        Damage(name: "no events.log", subject: .events, remedy: .repair) {
            try $0.remove(try firstFile($0, "events.log"))
        },
        Damage(name: "a short events.log", subject: .events, remedy: .repair) {
            let name = try firstFile($0, "events.log")
            let bytes = try $0.bytes(name)
            try $0.replace(name, with: bytes.getSlice(at: 0, length: 50) ?? bytes)
        },
        Damage(name: "no .idx", subject: .index, remedy: .repair) {
            try $0.remove(try firstFile($0, ".idx"))
        },
        Damage(name: "no .mkv", subject: .segment, remedy: .repair) {
            try $0.remove(try firstFile($0, ".mkv"))
        },
        Damage(name: "a short .idx", subject: .index, remedy: .repair) {
            let name = try firstFile($0, ".idx")
            let bytes = try $0.bytes(name)
            try $0.replace(name, with: bytes.getSlice(at: 0, length: 256) ?? bytes)
        },
        Damage(name: "a long .idx", subject: .index, remedy: .repair) {
            let name = try firstFile($0, ".idx")
            var bytes = try $0.bytes(name)
            bytes.writeInteger(UInt8(1))
            try $0.replace(name, with: bytes)
        },
        Damage(name: "a short .mkv", subject: .fragment, remedy: .restore) {
            let name = try firstFile($0, ".mkv")
            let bytes = try $0.bytes(name)
            try $0.replace(
                name,
                with: bytes.getSlice(at: 0, length: bytes.readableBytes - 1) ?? bytes
            )
        },
        Damage(name: "a long .mkv", subject: .fragment, remedy: .restore) {
            let name = try firstFile($0, ".mkv")
            var bytes = try $0.bytes(name)
            bytes.writeInteger(UInt8(1))
            try $0.replace(name, with: bytes)
        },
        Damage(name: "two segments with one .idx", subject: .index, remedy: .repair) { place in
            let all = try place.files().filter { $0.hasSuffix(".idx") }
            try place.replace(all[0], with: try place.bytes(all[1]))
        },
        Damage(name: "a stream that is gone", subject: .stream, remedy: .repair) {
            let name = try firstFile($0, "stream.json")
            try $0.remove(String(name.dropLast("/stream.json".count)))
        },
    ])
    func `each kind of damage is found`(damage: Damage) async throws {
        let place = try await Self.small()
        defer { place.keep() }
        try damage.make(place)
        let report = try await place.verify()
        #expect(!report.isClean)
        let found = report.findings.first { $0.subject == damage.subject && $0.severity > .notice }
        #expect(found?.remedy == damage.remedy, "\(report.findings)")
    }

    private static func firstFile(_ place: TemporaryLog, _ suffix: String) throws -> String {
        guard let name = try place.files().first(where: { $0.hasSuffix(suffix) }) else {
            throw TestFailure("no file ends in \(suffix)")
        }
        return name
    }

    @Test func `a finding reads as one line that says what to do`() {
        let finding = VerifyFinding(
            .damage,
            .fragment,
            file: "streams/x/1.mkv",
            offset: 4096,
            remedy: .restore,
            "It is damaged."
        )
        #expect(
            "\(finding)"
                == "damage: streams/x/1.mkv at byte 4096: It is damaged. Restore the file from a backup; the fragment is not served."
        )
    }
}

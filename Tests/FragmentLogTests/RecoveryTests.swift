@testable import FragmentLog
import LogTestSupport
import Matroska
import MediaModel
import NIOCore
import TestSupport
import Testing

/// What a start makes of the files a crash left.
@Suite struct RecoveryTests {
    private static let start = Timestamp(milliseconds: 1_795_255_200_000)

    /// A log with three fragments in an unsealed log segment, as a kill leaves it.
    private func killed(
        _ durability: Durability = .sync
    ) async throws -> (
        TemporaryLog, [FragmentRecord]
    ) {
        let place = try TemporaryLog(clock: SteppedClock(Self.start))
        let log = try await place.open()
        var settings = StreamSettings(name: .test())
        settings.durability = durability
        let stream = try await log.createStream(settings)
        let session = try stream.openSession(.test)
        var sent: [FragmentRecord] = []
        for index in 0..<3 {
            sent.append(
                try await SyntheticProducer().send(
                    session,
                    producer: Self.start.advanced(byMilliseconds: Int64(index) * 1000),
                    samples: 1,
                    bytes: 20
                )
            )
        }
        let copy = try place.copied()
        await session.end(.finished)
        await log.close()
        place.keep()
        return (copy, sent)
    }

    /// Opens, reads everything, closes, checks.
    private func survivors(_ place: TemporaryLog) async throws -> [FragmentNumber] {
        let log = try await place.open()
        let stream = try #require(log.stream(.test()))
        var numbers: [FragmentNumber] = []
        for record in try await stream.allFragments() {
            let parsed = try StoredFragment.parse(try await stream.read(record, .stored))
            #expect(parsed.number == record.number)
            #expect(parsed.table.ordinal == record.ordinal)
            numbers.append(record.number)
        }
        let next = try await SyntheticProducer().send(
            try stream.openSession(.test),
            producer: Self.start.advanced(byMilliseconds: 60_000)
        )
        #expect(next.number.sequence > 1000)
        #expect(next.ordinal == UInt64(numbers.count))
        await log.close()
        let report = try await place.verify()
        #expect(report.isClean, "\(report.findings)")
        return numbers
    }

    @Test func `a log segment cut at any byte of its last fragment keeps the others`()
        async throws
    {
        let (place, sent) = try await killed()
        defer { place.keep() }
        let media = try place.onlyFile(".mkv")
        let index = try place.onlyFile(".idx")
        let bytes = try place.bytes(media)
        let records = try place.bytes(index)
        let last = sent[2]
        #expect(last.offset + last.storedLength == UInt64(bytes.readableBytes))
        let step = Effort.count(1, underThreadSanitizer: 41)
        for length in stride(from: Int(last.offset), to: bytes.readableBytes, by: step) {
            let copy = try place.copied()
            defer { copy.keep() }
            try copy.replace(media, with: try #require(bytes.getSlice(at: 0, length: length)))
            // Before its record was written, and as a disk that lied leaves it.
            if length % 2 == 0 {
                try copy.replace(
                    index,
                    with: try #require(records.getSlice(at: 0, length: 3 * 128))
                )
            }
            #expect(
                try await survivors(copy) == sent.prefix(2).map(\.number),
                "cut at \(length)"
            )
        }
    }

    @Test func `an index cut at any byte of its last record is completed`() async throws {
        let (place, sent) = try await killed()
        defer { place.keep() }
        let index = try place.onlyFile(".idx")
        let records = try place.bytes(index)
        let near = Effort.count(140, underThreadSanitizer: 130)
        for length in 128..<records.readableBytes where length < near || length % 9 == 0 {
            let copy = try place.copied()
            defer { copy.keep() }
            try copy.replace(index, with: try #require(records.getSlice(at: 0, length: length)))
            #expect(try await survivors(copy) == sent.map(\.number), "cut at \(length)")
            #expect(
                try copy.bytes(index) == records,
                "the index is what it was, cut at \(length)"
            )
        }
    }

    @Test func `a page of the index that never reached the disk is written again`() async throws {
        let (place, sent) = try await killed()
        defer { place.keep() }
        try place.remove("boot")
        let index = try place.onlyFile(".idx")
        var records = try place.bytes(index)
        records.setBytes([UInt8](repeating: 0, count: 128), at: 256)
        try place.replace(index, with: records)
        #expect(try await survivors(place) == sent.map(\.number))
    }

    @Test(arguments: [true, false])
    func `a fragment that was synced and is damaged stays and is not served`(
        isSameBoot: Bool
    ) async throws {
        let (place, sent) = try await killed()
        defer { place.keep() }
        if !isSameBoot { try place.remove("boot") }
        let media = try place.onlyFile(".mkv")
        let length = try place.bytes(media).readableBytes
        try place.flip(media, at: length - 5)
        let log = try await place.open()
        let stream = try #require(log.stream(.test()))
        let records = try await stream.allFragments()
        #expect(records.map(\.number) == sent.map(\.number))
        _ = try await stream.read(records[1], .stored)
        let error = await #expect(throws: LogError.self) {
            _ = try await stream.read(records[2], .stored)
        }
        #expect(error?.code == .damaged)
        #expect(try place.bytes(media).readableBytes == length)
        await log.close()
        let report = try await place.verify()
        #expect(report.damageCount == 1)
    }

    @Test func `at durability none every fragment is looked at after a power cut`() async throws {
        let (place, sent) = try await killed(.none)
        defer { place.keep() }
        try place.remove("boot")
        let media = try place.onlyFile(".mkv")
        // The second fragment's page never reached the disk, the third's did.
        var bytes = try place.bytes(media)
        bytes.setBytes(
            [UInt8](repeating: 0, count: Int(sent[1].storedLength)),
            at: Int(sent[1].offset)
        )
        try place.replace(media, with: bytes)
        #expect(try await survivors(place) == [sent[0].number])
    }

    @Test func `whole fragments without a record are indexed`() async throws {
        let (place, sent) = try await killed()
        defer { place.keep() }
        let index = try place.onlyFile(".idx")
        let records = try place.bytes(index)
        try place.replace(index, with: try #require(records.getSlice(at: 0, length: 128)))
        #expect(try await survivors(place) == sent.map(\.number))
    }

    @Test func `what lies beyond the durable length of a suspect segment is ignored`()
        async throws
    {
        let (place, sent) = try await killed()
        defer { place.keep() }
        var log = try await place.open()
        var stream = try #require(log.stream(.test()))
        let segment = sent[0].segment.first
        try stream.updateDocument { document in
            document.suspectSegments[segment] = sent[1].offset + sent[1].storedLength
        }
        await log.close()
        // As if the catalog had never heard of it.
        for name in try place.files() where name.contains("sqlite") { try place.remove(name) }
        _ = try await place.repair()
        log = try await place.open()
        stream = try #require(log.stream(.test()))
        #expect(try await stream.allFragments().map(\.number) == sent.prefix(2).map(\.number))
        await log.close()
        let report = try await place.verify()
        #expect(report.isClean, "\(report.findings)")
    }

    @Test func `a torn tail of events is cut and an event the catalog missed is taken in`()
        async throws
    {
        let (place, _) = try await killed()
        defer { place.keep() }
        let events = try place.onlyFile("events.log")
        let pristine = try place.bytes(events)
        let gap = Gap(
            start: Self.start,
            end: Self.start.advanced(byMilliseconds: 5),
            clock: .producer,
            reason: .overload
        )
        let added = try EventsFile.encode(.gap(gap))
        for cut in stride(from: 0, through: added.readableBytes, by: 7) + [added.readableBytes] {
            let copy = try place.copied()
            defer { copy.keep() }
            var bytes = pristine
            bytes.writeImmutableBuffer(try #require(added.getSlice(at: 0, length: cut)))
            try copy.replace(events, with: bytes)
            let log = try await copy.open()
            let stream = try #require(log.stream(.test()))
            let found = try await stream.gaps(
                in: Timestamp(milliseconds: 0)..<Timestamp.endOfTime,
                clock: .producer,
                limit: 10
            )
            #expect(found == (cut == added.readableBytes ? [gap] : []))
            await log.close()
            #expect(try await copy.verify().isClean)
        }
    }

    @Test func `a session that was never closed leaves a gap of a crash, once`() async throws {
        let (place, sent) = try await killed()
        defer { place.keep() }
        for _ in 0..<3 {
            let log = try await place.open()
            let stream = try #require(log.stream(.test()))
            await log.close()
            _ = stream
        }
        let log = try await place.open()
        let stream = try #require(log.stream(.test()))
        let gaps = try await stream.gaps(
            in: Timestamp(milliseconds: 0)..<Timestamp.endOfTime,
            clock: .server,
            limit: 10
        )
        #expect(gaps.map(\.reason) == [.crash])
        #expect(gaps.first?.session == 1)
        #expect(gaps.first?.after == sent.last?.number)
        await log.close()
    }

    @Test func `spilled parts of the last run are removed`() async throws {
        let (place, sent) = try await killed()
        defer { place.keep() }
        let name = "streams/\(sent[0].segment.stream)/open-1-4.part"
        try place.replace(name, with: ByteBuffer(string: "x"))
        try await place.open().close()
        #expect(!(try place.files().contains(name)))
    }
}

private func + (left: StrideThrough<Int>, right: [Int]) -> [Int] { Array(left) + right }

@testable import FragmentLog
import LogTestSupport
import MediaModel
import NIOCore
import TestSupport
import Testing

/// Log segments that a start cannot bring into order: the rest of their stream is served.
@Suite struct LeftSegmentTests {
    private static let start = Timestamp(milliseconds: 1_795_255_200_000)

    /// A sealed log segment of two fragments and one of three, unsealed, as a kill leaves them.
    private func killed() async throws -> (
        place: TemporaryLog, sealed: [FragmentRecord], open: [FragmentRecord]
    ) {
        let place = try TemporaryLog(clock: SteppedClock(Self.start))
        let log = try await place.open()
        let stream = try await log.createStream(StreamSettings(name: .test()))
        let session = try stream.openSession(.test)
        var sent: [FragmentRecord] = []
        for (index, codec) in ["A", "A", "B", "B", "B"].enumerated() {
            sent.append(
                try await SyntheticProducer(codecID: "V_\(codec)").send(
                    session,
                    producer: Self.start.advanced(byMilliseconds: Int64(index) * 1000),
                    samples: 1,
                    bytes: 2000
                )
            )
        }
        let copy = try place.copied()
        await session.end(.finished)
        await log.close()
        place.keep()
        return (copy, Array(sent[..<2]), Array(sent[2...]))
    }

    private func file(_ ending: String, of records: [FragmentRecord]) throws -> String {
        let segment = try #require(records.first).segment
        return "streams/\(segment.stream)/\(segment.first)\(ending)"
    }

    @Test func `without its index a log segment is left, and its stream goes on`() async throws {
        let (place, sealed, open) = try await killed()
        defer { place.keep() }
        let media = try file(".mkv", of: open)
        let bytes = try place.bytes(media)
        try place.remove(try file(".idx", of: open))

        let log = try await place.open()
        let stream = try #require(log.stream(.test()))
        let error = try #require(log.damagedSegments.values.first)
        #expect(error.code == .damaged)
        #expect(error.message.contains("kinelog verify --repair"))
        #expect(try await stream.allFragments().map(\.number) == sealed.map(\.number))
        // Ordinals of what may be in it are not given out again.
        let session = try stream.openSession(.test)
        let next = try await SyntheticProducer().send(
            session,
            producer: Self.start.advanced(byMilliseconds: 60_000)
        )
        await session.end(.finished)
        #expect(next.ordinal > open[2].ordinal)
        #expect(next.number > open[2].number)
        let report = try await log.verify()
        #expect(
            report.findings.contains {
                $0.subject == .segment && $0.severity == .damage && $0.remedy == .repair
            },
            "\(report.findings)"
        )
        await log.close()
        #expect(try place.bytes(media) == bytes)

        let repair = try await place.repair()
        #expect(repair.after.isClean, "\(repair.after.findings)")
        let again = try await place.open()
        #expect(again.damagedSegments.isEmpty)
        let whole = try await #require(again.stream(.test())).allFragments()
        #expect(whole.map(\.number) == (sealed + open + [next]).map(\.number))
        #expect(whole.prefix(5).map(\.ordinal) == [0, 1, 2, 3, 4])
        await again.close()
    }

    @Test func `fragments behind a damaged one whose record was lost are not cut off`() async throws
    {
        let (place, sealed, open) = try await killed()
        defer { place.keep() }
        // After a power cut: the page with the first record of three never reached the disk, and
        // the disk has lost a byte of that fragment, too.
        try place.remove("boot")
        let index = try file(".idx", of: open)
        var records = try place.bytes(index)
        records.setBytes([UInt8](repeating: 0, count: 128), at: 128)
        try place.replace(index, with: records)
        try place.flip(try file(".mkv", of: open), at: Int(open[0].offset) + 1500)
        let media = try place.bytes(try file(".mkv", of: open))

        let log = try await place.open()
        #expect(log.damagedSegments.count == 1)
        let stream = try #require(log.stream(.test()))
        #expect(try await stream.allFragments().map(\.number) == sealed.map(\.number))
        await log.close()
        #expect(try place.bytes(try file(".mkv", of: open)) == media)

        _ = try await place.repair()
        let again = try await place.open()
        let numbers = try await #require(again.stream(.test())).allFragments().map(\.number)
        #expect(numbers.suffix(2) == open.suffix(2).map(\.number))
        await again.close()
    }

    @Test func `a lost log segment that was listed is damage, and its numbers stay taken`()
        async throws
    {
        let (place, sealed, open) = try await killed()
        defer { place.keep() }
        // As restored from an older backup: the document knows nothing of these numbers either.
        let document = try place.onlyFile("stream.json")
        var old = try StreamDocument(try place.bytes(document), path: document)
        old.sequenceHighWater = sealed[1].number.sequence
        try place.replace(document, with: old.encoded())
        try place.remove(try file(".mkv", of: open))
        let index = try file(".idx", of: open)

        let log = try await place.open()
        #expect(log.damagedSegments.values.map(\.code) == [.damaged])
        let stream = try #require(log.stream(.test()))
        #expect(try await stream.allFragments().map(\.number) == sealed.map(\.number))
        let session = try stream.openSession(.test)
        let next = try await SyntheticProducer().send(
            session,
            producer: Self.start.advanced(byMilliseconds: 60_000)
        )
        await session.end(.finished)
        #expect(next.number.sequence > open[2].number.sequence)
        #expect(next.ordinal > open[2].ordinal)
        await log.close()
        #expect(try place.files().contains(index))
        #expect(try await place.verify().findings.contains { $0.severity == .damage })
    }

    @Test func `a damaged end of the newest closed index does not take its stream down`()
        async throws
    {
        let (place, sealed, open) = try await killed()
        defer { place.keep() }
        await (try place.open()).close()
        let index = try file(".idx", of: open)
        try place.flip(index, at: 3 * IndexFile.recordLength + 40)

        let log = try await place.open()
        #expect(log.damagedSegments.values.map(\.code) == [.damaged])
        let stream = try #require(log.stream(.test()))
        let page = try await stream.fragments(
            FragmentQuery(range: Self.start..<Self.start.advanced(byMilliseconds: 2000))
        )
        #expect(page.fragments.map(\.number) == sealed.map(\.number))
        let session = try stream.openSession(.test)
        let next = try await SyntheticProducer().send(
            session,
            producer: Self.start.advanced(byMilliseconds: 60_000)
        )
        await session.end(.finished)
        #expect(next.ordinal == 5)
        #expect(next.number > open[2].number)
        await log.close()
        #expect(try await place.repair().after.isClean)
        let again = try await place.open()
        let whole = try await #require(again.stream(.test())).allFragments()
        #expect(whole.map(\.number) == (sealed + open + [next]).map(\.number))
        await again.close()
    }

    @Test func `what could not be read at the start is taken up by the sweep`() async throws {
        let (place, sealed, open) = try await killed()
        defer { place.keep() }
        let index = try file(".idx", of: open)
        let bytes = try place.bytes(index)
        // A directory in its place cannot be opened for writing.
        try place.remove(index)
        try place.make(index)

        let log = try await place.open()
        let stream = try #require(log.stream(.test()))
        #expect(log.damagedSegments.values.map(\.code) == [.ioError])
        #expect(stream.head?.number == sealed[1].number)
        try place.remove(index)
        try place.replace(index, with: bytes)
        await log.sweep()
        #expect(log.damagedSegments.isEmpty)
        #expect(stream.head?.number == open[2].number)
        #expect(
            try await stream.allFragments().map(\.number) == (sealed + open).map(\.number)
        )
        await log.close()
        #expect(try await place.verify().isClean)
    }

    @Test func `a start that left something behind is followed by one that trusts nothing`()
        async throws
    {
        let (place, _, open) = try await killed()
        defer { place.keep() }
        try place.remove("boot")
        try place.remove(try file(".idx", of: open))
        let log = try await place.open()
        await log.close()
        #expect(try !place.files().contains("boot"))
    }

    @Test func `events that the catalog has seen and the disk has lost are damage`() async throws {
        let (place, _, _) = try await killed()
        defer { place.keep() }
        try place.remove(try place.onlyFile("events.log"))
        let log = try await place.open()
        #expect(log.stream(.test()) == nil)
        let error = try #require(log.damagedStreams.values.first)
        #expect(error.code == .damaged)
        #expect(error.message.contains("events.log is 0 bytes long"), "\(error.message)")
        await log.close()
        let repair = try await place.repair()
        #expect(repair.after.isClean, "\(repair.after.findings)")
        let again = try await place.open()
        #expect(again.stream(.test()) != nil)
        await again.close()
    }

    @Test func `the index of a suspect log segment is written anew, not synced once more`()
        async throws
    {
        let (place, sealed, open) = try await killed()
        defer { place.keep() }
        // Where the last run noted a failed sync it is not known what the disk has of the index,
        // whatever the cache shows.
        let document = try place.onlyFile("stream.json")
        let written = try place.bytes(document)
        var noted = try StreamDocument(written, path: document)
        let end = open[2].offset + open[2].storedLength
        noted.suspectSegments[open[0].segment.first] = end
        try place.replace(document, with: noted.encoded())
        let index = try file(".idx", of: open)
        let inode = try place.inode(index)
        let bytes = try place.bytes(index)

        let log = try await place.open()
        let stream = try #require(log.stream(.test()))
        #expect(
            try await stream.allFragments().map(\.number) == (sealed + open).map(\.number)
        )
        await log.close()
        #expect(try place.bytes(index) == bytes)
        #expect(try place.inode(index) != inode)
        #expect(try await place.verify().isClean)
    }
}

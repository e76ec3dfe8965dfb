@testable import FragmentLog
import LogTestSupport
import MediaModel
import NIOCore
import Testing

/// When a log segment ends.
@Suite struct SegmentRollTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var bytes: UInt64 = 1000
        /// Milliseconds since the segment's first fragment.
        var producer: Int64 = 2000
        var server: Int64 = 2000
        var header = Header.same
        var isRing = false
        var expected: SegmentRoll?

        var testDescription: String { name }
    }

    enum Header: Sendable {
        case same
        case otherBytes
        case otherKind
        case otherSession
    }

    private static let start = Timestamp(milliseconds: 1_795_255_200_000)
    private static let limits = SegmentRollLimits()

    @Test(arguments: [
        Case(name: "what follows goes in", expected: nil),
        Case(name: "one byte below the limit", bytes: (64 << 20) - 1, expected: nil),
        Case(name: "64 MiB", bytes: 64 << 20, expected: .size),
        Case(name: "just below 10 minutes", server: 599_999, expected: nil),
        Case(name: "10 minutes", server: 600_000, expected: .duration),
        Case(name: "another header", header: .otherBytes, expected: .header),
        Case(name: "PutMedia and our own", header: .otherKind, expected: .header),
        Case(name: "another RELATIVE session", header: .otherSession, expected: .header),
        Case(name: "an equal producer timestamp", producer: 1000, expected: .producerOrder),
        Case(name: "an earlier producer timestamp", producer: 999, expected: .producerOrder),
        Case(name: "20 minutes of producer time", producer: 1_200_000, expected: nil),
        Case(name: "a millisecond more", producer: 1_200_001, expected: .producerSpan),
        Case(name: "the end of time", producer: 9_000_000_000_000_000_000, expected: .producerSpan),
        Case(name: "the server's clock stands", server: 1000, expected: nil),
        Case(name: "the server's clock steps back", server: 999, expected: .serverClock),
        Case(name: "ring: 16 MiB", bytes: 16 << 20, isRing: true, expected: .size),
        Case(name: "ring: 30 s", server: 30_000, isRing: true, expected: .duration),
    ])
    func `a log segment ends by the first rule that is met`(table: Case) {
        let header = SegmentHeader(
            bytes: ByteBuffer(string: "header"),
            kind: table.header == .otherSession ? .putMediaRelative(session: 1) : .own
        )
        let next =
            switch table.header {
            case .same: header
            case .otherBytes: SegmentHeader(bytes: ByteBuffer(string: "other"), kind: .own)
            case .otherKind: SegmentHeader(bytes: header.bytes, kind: .putMedia)
            case .otherSession:
                SegmentHeader(bytes: header.bytes, kind: .putMediaRelative(session: 2))
            }
        let segment = SegmentRoll.Segment(
            header: header,
            bytes: table.bytes,
            firstProducer: Self.start,
            lastProducer: Self.start.advanced(byMilliseconds: 1000),
            firstServer: Self.start,
            lastServer: Self.start.advanced(byMilliseconds: 1000)
        )
        let reason = SegmentRoll.reason(
            segment,
            next: next,
            producer: Self.start.advanced(byMilliseconds: table.producer),
            server: Self.start.advanced(byMilliseconds: table.server),
            limits: Self.limits,
            isRing: table.isRing
        )
        #expect(reason == table.expected)
    }

    @Test func `a restart begins a new log segment`() async throws {
        let place = try TemporaryLog(clock: SteppedClock(Self.start))
        defer { place.keep() }
        for round in 0..<2 {
            let log = try await place.open()
            let stream = try await log.streamCreatingIfMissing(.test())
            let session = try stream.openSession(.test)
            try await SyntheticProducer().send(
                session,
                producer: Self.start.advanced(byMilliseconds: Int64(round) * 1000)
            )
            await session.end(.finished)
            await log.close()
        }
        #expect(try place.files().count { $0.hasSuffix(".mkv") } == 2)
    }

    @Test func `another codec begins a new log segment and its footage is found`() async throws {
        let place = try TemporaryLog(clock: SteppedClock(Self.start))
        defer { place.keep() }
        let log = try await place.open()
        let stream = try await log.createStream(StreamSettings(name: .test()))
        let session = try stream.openSession(.test)
        var sent: [FragmentNumber] = []
        for (index, codec) in ["V_MJPEG", "V_UNCOMPRESSED", "V_MJPEG"].enumerated() {
            let time = Self.start.advanced(byMilliseconds: Int64(index) * 1000)
            sent.append(
                try await SyntheticProducer(codecID: codec).send(session, producer: time).number
            )
        }
        let page = try await stream.fragments(
            FragmentQuery(range: Self.start..<Self.start.advanced(byMilliseconds: 9000))
        )
        #expect(page.fragments.map(\.number) == sent)
        #expect(Set(page.fragments.map(\.segment)).count == 3)
        #expect(page.fragments.map(\.ordinal) == [0, 1, 2])
        await log.close()
    }
}

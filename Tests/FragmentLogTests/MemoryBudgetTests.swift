@testable import FragmentLog
import LogTestSupport
import Matroska
import MediaModel
import NIOCore
import Synchronization
import TestSupport
import Testing

/// The memory that open fragments share.
@Suite struct MemoryBudgetTests {
    private static let start = Timestamp(milliseconds: 1_795_255_200_000)

    /// What is seen of the memory in use while producers send.
    private final class Usage: Sendable {
        private let state = Mutex((peak: 0, isOver: false))

        var peak: Int { state.withLock { $0.peak } }
        var isOver: Bool { state.withLock { $0.isOver } }

        func note(_ bytes: Int) { state.withLock { $0.peak = max($0.peak, bytes) } }
        func end() { state.withLock { $0.isOver = true } }
    }

    /// Producers that are faster than the disk, and such as wait for it before they send more.
    @Test(.timeLimit(.minutes(5)), arguments: [false, true])
    func `fifty sessions in long fragments share 8 MiB without a deadlock or a loss`(
        arePaced: Bool
    ) async throws {
        var place = try TemporaryLog()
        defer { place.keep() }
        place.configuration.openFragmentBytesMax = 8 << 20
        let log = try await place.open()
        let producer = SyntheticProducer()
        let limit = place.configuration.openFragmentBytesMax
        let usage = Usage()
        defer { usage.end() }
        let spillWatch = Task { [place] in
            while !usage.isOver, try !place.files().contains(where: { $0.hasSuffix(".part") }) {
                await Task.yield()
            }
            return !usage.isOver
        }
        // Each fragment is a megabyte: fifty at once are six times what there is.
        let sent = try await withThrowingTaskGroup(
            of: (StreamName, [(FragmentNumber, UInt32)]).self
        ) { group in
            for index in 0..<50 {
                group.addTask {
                    let name = StreamName.test("s\(index)")
                    let stream = try await log.createStream(StreamSettings(name: name))
                    let session = try stream.openSession(.test)
                    var numbers: [(FragmentNumber, UInt32)] = []
                    for step in 0..<2 {
                        let fragment = try await session.beginFragment(
                            producer.opening(
                                producer: Self.start.advanced(byMilliseconds: Int64(step) * 20_000)
                            )
                        )
                        var crc = CRC32()
                        for sample in 0..<50 {
                            while arePaced, log.openFragmentBytes > limit {
                                try Task.checkCancellation()
                                await Task.yield()
                            }
                            let head = ClusterWriter.simpleBlockHead(
                                track: 1,
                                offset: Int16(sample * 40),
                                isKeyframe: sample == 0,
                                payloadLength: 20_000
                            )
                            let payload = ByteBuffer(
                                repeating: UInt8(truncatingIfNeeded: index &* 7 &+ sample),
                                count: 20_000
                            )
                            crc.update(head)
                            crc.update(payload)
                            try fragment.append(
                                head,
                                payload,
                                samples: [
                                    SampleEntry(
                                        track: 1,
                                        offset: UInt64(head.readableBytes),
                                        size: 20_000,
                                        dts: Int64(sample * 40),
                                        pts: Int64(sample * 40),
                                        isSync: sample == 0
                                    )
                                ]
                            )
                            usage.note(log.openFragmentBytes)
                            await Task.yield()
                        }
                        let record = try await fragment.finished(
                            FragmentClosing(durationMilliseconds: 2000)
                        )
                        numbers.append((record.number, crc.value))
                    }
                    await session.end(.finished)
                    return (name, numbers)
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        usage.end()
        // They come up against the limit, and pass it by no more than what each adds at once.
        #expect(usage.peak > limit - limit / 4)
        if arePaced { #expect(usage.peak <= limit + 50 * 20_100) }
        #expect(try await spillWatch.value, "nothing was spilled")
        #expect(log.openFragmentBytes == 0)
        for (name, fragments) in sent {
            let stream = try #require(log.stream(name))
            let stored = try await stream.allFragments()
            #expect(stored.map(\.number) == fragments.map(\.0))
            for (record, (_, crc)) in zip(stored, fragments) {
                let cluster = try await stream.read(record, .cluster)
                let prefix = ClusterWriter.prefixLength
                let children = try #require(
                    cluster.getSlice(at: prefix, length: cluster.readableBytes - prefix)
                )
                #expect(CRC32.of(children) == crc)
            }
            #expect(
                try await stream.gaps(
                    in: Timestamp(milliseconds: 0)..<Timestamp.endOfTime,
                    clock: .producer,
                    limit: 10
                ).isEmpty
            )
        }
        await log.close()
        #expect(!(try place.files().contains { $0.hasSuffix(".part") }))
        #expect(try await place.verify().findings == [])
    }

    @Test func `a live reader sees a spilled fragment from its first byte`() async throws {
        var place = try TemporaryLog()
        defer { place.keep() }
        place.configuration.openFragmentBytesMax = 64 << 10
        let log = try await place.open()
        let stream = try await log.createStream(StreamSettings(name: .test()))
        let session = try stream.openSession(.test)
        let producer = SyntheticProducer()
        let fragment = try await session.beginFragment(producer.opening(producer: Self.start))
        for _ in 0..<10 {
            try producer.fill(fragment, samples: 2, bytes: 20_000)
            await Task.yield()
        }
        while log.openFragmentBytes > 64 << 10 { try await Task.sleep(for: .milliseconds(2)) }
        #expect(try place.files().contains { $0.hasSuffix(".part") })
        var live = ByteBuffer()
        while live.readableBytes < fragment.childrenLength {
            let piece = try await fragment.read(from: live.readableBytes, atMost: 7000)
            live.writeImmutableBuffer(piece.bytes)
        }
        let record = try await fragment.finished(FragmentClosing(durationMilliseconds: 400))
        let cluster = try await stream.read(record, .cluster)
        let prefix = ClusterWriter.prefixLength
        #expect(
            cluster.getSlice(at: prefix, length: cluster.readableBytes - prefix) == live
        )
        #expect(log.openFragmentBytes == 0)
        await session.end(.finished)
        await log.close()
        #expect(!(try place.files().contains { $0.hasSuffix(".part") }))
        #expect(try await place.verify().findings == [])
    }

    @Test func `only those about to open a fragment wait for memory`() async throws {
        var place = try TemporaryLog()
        defer { place.keep() }
        place.configuration.openFragmentBytesMax = 100_000
        let log = try await place.open()
        let producer = SyntheticProducer()
        let first = try await log.createStream(StreamSettings(name: .test("a")))
        let second = try await log.createStream(StreamSettings(name: .test("b")))
        // Nothing can be spilled: a directory lies where the file would go.
        let session = try first.openSession(.test)
        let open = try await session.beginFragment(producer.opening(producer: Self.start))
        try place.make("streams/\(first.id)/open-\(session.id)-\(open.number.sequence).part")
        try producer.fill(open, samples: 2, bytes: 60_000)
        // The fragment is ended for its producer, and its part is stored.
        while !open.isEnded { try await Task.sleep(for: .milliseconds(2)) }
        let refused = #expect(throws: LogError.self) { try producer.fill(open) }
        #expect(refused?.code == .memory)
        let record = try await producer.send(
            try second.openSession(.test),
            producer: Self.start
        )
        #expect(record.ordinal == 0)
        await session.end(.failed(.memory))
        #expect(try await first.allFragments().map(\.flags) == [[.incomplete]])
        #expect(log.openFragmentBytes == 0)
        try place.remove("streams/\(first.id)/open-\(session.id)-\(open.number.sequence).part")
        await log.close()
        #expect(try await place.verify().isClean)
    }
}

@testable import FragmentLog
import LogTestSupport
import Matroska
import MediaModel
import NIOCore
import Synchronization
import TestSupport
import Testing

/// What an older session may still do to a newer one whose fragments wait for it.
@Suite struct OverlapTests {
    private static let start = Timestamp(milliseconds: 1_795_255_200_000)
    private let producer = SyntheticProducer()

    private func opening(_ second: Int64) -> FragmentOpening {
        producer.opening(producer: Self.start.advanced(byMilliseconds: second * 1000))
    }

    @Test(.timeLimit(.minutes(3)))
    func `a fragment that never ends does not hold up the newer session for ever`() async throws {
        let clock = SteppedClock(Self.start)
        let place = try TemporaryLog(clock: clock).with { $0.silentTakeoverMilliseconds = 2000 }
        defer { place.keep() }
        let log = try await place.open()
        let stream = try await log.createStream(StreamSettings(name: .test()))
        let old = try stream.openSession(.test)
        let endless = try await old.beginFragment(opening(0))
        try producer.fill(endless)
        let new = try stream.openSession(.test)
        async let stored = producer.send(
            new,
            producer: Self.start.advanced(byMilliseconds: 60_000)
        )
        // Never silent for two seconds, and never at an end.
        var refusal: LogError?
        var passed: Int64 = 0
        while refusal == nil {
            clock.pass(milliseconds: 1000)
            passed += 1000
            do throws(LogError) {
                try endless.append(ByteBuffer(bytes: [0xEC, 0x80]), nil, samples: [])
            } catch {
                refusal = error
            }
            try await Task.sleep(for: .milliseconds(5))
        }
        #expect(refusal?.code == .takenOver)
        #expect(passed >= 32_000)
        #expect(try await stored.number > endless.number)
        await old.end(.finished)
        await new.end(.finished)
        let all = try await stream.allFragments()
        #expect(all.map { $0.flags.contains(.incomplete) } == [true, false])
        await log.close()
        #expect(try await place.verify().isClean)
    }

    @Test(.timeLimit(.minutes(3)))
    func `fragments that wait for an older session give their memory back`() async throws {
        let place = try TemporaryLog().with { configuration in
            configuration.openFragmentBytesMax = 1 << 20
            configuration.silentTakeoverMilliseconds = 60_000
        }
        defer { place.keep() }
        let log = try await place.open()
        let stream = try await log.createStream(StreamSettings(name: .test()))
        let old = try stream.openSession(.test)
        let first = try await old.beginFragment(opening(0))
        try producer.fill(first)
        let new = try stream.openSession(.test)
        let (results, outcome) = AsyncStream.makeStream(of: FragmentNumber?.self)
        var sent: [FragmentNumber] = []
        for index in 0..<8 {
            // Without room this would wait for ever: nothing of it can be stored yet.
            let fragment = try await new.beginFragment(opening(100 + Int64(index)))
            try producer.fill(fragment, samples: 4, bytes: 100_000, seed: UInt8(index))
            sent.append(fragment.number)
            fragment.finish(FragmentClosing(durationMilliseconds: 1000)) { result in
                outcome.yield(try? result.get().number)
            }
        }
        #expect(log.openFragmentBytes < 2 << 20)
        first.finish(FragmentClosing(durationMilliseconds: 1000)) { _ in }
        var stored: [FragmentNumber?] = []
        for await number in results {
            stored.append(number)
            if stored.count == sent.count { break }
        }
        #expect(stored == sent)
        await old.end(.finished)
        await new.end(.finished)
        for record in try await stream.allFragments().dropFirst() {
            let bytes = try await stream.read(record, .cluster)
            let seed = UInt8(record.number.sequence - sent[0].sequence)
            #expect(bytes.readableBytesView.filter { $0 == seed }.count >= 100_000)
        }
        await log.close()
        #expect(log.openFragmentBytes == 0)
        #expect(try await place.verify().isClean)
        #expect(try place.files().allSatisfy { !$0.hasSuffix(".part") })
    }

    @Test(.timeLimit(.minutes(3)))
    func `spilling goes on after a time in which nothing could be spilled`() async throws {
        let place = try TemporaryLog().with { configuration in
            configuration.openFragmentBytesMax = 1 << 20
        }
        defer { place.keep() }
        let log = try await place.open()
        let stream = try await log.createStream(StreamSettings(name: .test()))
        let other = try await log.createStream(StreamSettings(name: .test("other")))
        // Commits of the stream stand still, as on a disk that hangs in a sync.
        let session = try stream.openSession(.test)
        let (results, outcome) = AsyncStream.makeStream(of: Bool.self)
        let beside = try other.openSession(.test)
        let open = try await beside.beginFragment(opening(0))
        try await OwnThread.run {
            try stream.commit.withLock { _ in
                for index in 0..<3 {
                    let fragment = try session.beginFragmentBlocking(opening(Int64(index)))
                    try producer.fill(fragment, samples: 4, bytes: 100_000)
                    fragment.finish(FragmentClosing(durationMilliseconds: 1000)) { result in
                        outcome.yield((try? result.get()) != nil)
                    }
                }
            }
        }
        for await isDurable in results.prefix(3) { #expect(isDurable) }
        // Memory fills again, with what can be spilled.
        try producer.fill(open, samples: 30, bytes: 100_000)
        while log.openFragmentBytes > 1 << 20 { try await Task.sleep(for: .milliseconds(2)) }
        #expect(try place.files().contains { $0.hasSuffix(".part") })
        _ = try await open.finished(FragmentClosing(durationMilliseconds: 1000))
        await session.end(.finished)
        await beside.end(.finished)
        await log.close()
        #expect(try await place.verify().isClean)
    }

    @Test(.timeLimit(.minutes(3)))
    func `tables of tiny samples cannot fill the memory either`() async throws {
        let place = try TemporaryLog().with { configuration in
            configuration.openFragmentBytesMax = 1 << 20
        }
        defer { place.keep() }
        let log = try await place.open()
        let stream = try await log.createStream(StreamSettings(name: .test()))
        let session = try stream.openSession(.test)
        let fragment = try await session.beginFragment(opening(0))
        var refusal: LogError?
        while refusal == nil {
            do throws(LogError) {
                let sample = SampleEntry(
                    track: 1,
                    offset: 0,
                    size: 1,
                    dts: 0,
                    pts: 0,
                    isSync: true
                )
                try fragment.append(
                    ByteBuffer(bytes: [0xEC, 0x80]),
                    nil,
                    samples: Array(repeating: sample, count: 1000)
                )
            } catch {
                refusal = error
            }
            await Task.yield()
        }
        #expect(refusal?.code == .memory)
        #expect(refusal?.message.contains("tables of its samples") == true)
        await session.end(.failed(.memory))
        await log.close()
        #expect(log.openFragmentBytes == 0)
    }
}

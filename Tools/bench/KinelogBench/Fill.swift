import ArgumentParser
import FragmentLog
import Glibc
import Logging
import Matroska
import MediaModel
import NIOCore
import Synchronization

/// Appends many small fragments through the log, as fast as it takes them.
struct Fill: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Append fragments to many streams; leave their log segments unsealed with --hold."
    )

    @Option(help: "Data directory.") var data: String
    @Option(help: "Streams to spread the fragments over.") var streams = 200
    @Option(help: "Fragments in all.") var fragments = 10_000_000
    @Option(help: "Payload bytes of a fragment.") var bytes = 700
    @Flag(help: "Stay open when done, until killed.") var hold = false

    func run() async throws {
        var configuration = LogConfiguration(directory: data)
        configuration.copyMilliseconds = 0
        let log = try await FragmentLog.open(
            configuration,
            logger: Logger(label: "bench") { _ in SwiftLogNoOpLogHandler() }
        )
        let start = ContinuousClock.now
        let each = fragments / streams
        let bytes = bytes
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<streams {
                guard let name = StreamName("bench-\(number)") else { continue }
                let stream: StreamLog
                if let known = log.stream(name) {
                    stream = known
                } else {
                    stream = try await log.createStream(StreamSettings(name: name))
                }
                group.addTask {
                    try await Self.fill(stream, count: each, bytes: bytes, seed: number)
                }
            }
            try await group.waitForAll()
        }
        let took = ContinuousClock.now - start
        print("filled \(each * streams) fragments in \(took)")
        // Whoever waits for the line reads a file or a pipe.
        fflush(nil)
        if hold { try await Task.sleep(for: .seconds(86_400)) }
        await log.close()
    }

    /// One stream: 1 fragment in 100 carries an earlier producer time, a few are wildly wrong.
    private static func fill(_ stream: StreamLog, count: Int, bytes: Int, seed: Int) async throws {
        let session = try stream.openSession(
            SessionRequest(protocolName: "bench", peer: "-", clockSource: .absolute)
        )
        let track = Track(
            number: 1,
            kind: .video,
            codecID: "V_UNCOMPRESSED",
            timeBase: .milliseconds,
            width: 16,
            height: 16
        )
        let header = SegmentHeader(bytes: DocumentHeaderWriter.encode([track]), kind: .own)
        let tracks = [
            SampleTrack(number: 1, timeBase: .milliseconds, codecSet: CodecSet.id(of: track))
        ]
        let payload = ByteBuffer(repeating: UInt8(truncatingIfNeeded: seed), count: bytes)
        let window = Window(limit: 256)
        let base: Int64 = 1_700_000_000_000
        let period: Int64 = 20
        for index in 0..<count {
            var time = base + Int64(index) * period
            // A run of a hundred in ten thousand was recorded an hour before.
            if index % 10_000 >= 9_900 { time -= 3_600_000 }
            if seed % 2 == 0, index == count / 2 { time = seed % 4 == 0 ? 0 : 4_300_000_000_000 }
            try await window.enter()
            let fragment = try await session.beginFragment(
                FragmentOpening(
                    header: header,
                    tracks: tracks,
                    producer: Timestamp(milliseconds: time),
                    clockSource: .absolute,
                    mediaTimeMilliseconds: time - base
                )
            )
            let head = ClusterWriter.simpleBlockHead(
                track: 1,
                offset: 0,
                isKeyframe: true,
                payloadLength: bytes
            )
            try fragment.append(ClusterWriter.timecode(UInt64(max(0, time))), nil, samples: [])
            try fragment.append(
                head,
                payload,
                samples: [
                    SampleEntry(
                        track: 1,
                        offset: UInt64(head.readableBytes),
                        size: UInt32(bytes),
                        dts: time,
                        pts: time,
                        isSync: true
                    )
                ]
            )
            fragment.finish(FragmentClosing(durationMilliseconds: UInt32(period))) { result in
                window.leave(result.map { _ in })
            }
        }
        try await window.drain()
    }
}

/// Bounds how many fragments of one stream are on their way.
private final class Window: Sendable {
    private struct State {
        var count = 0
        var waiting: CheckedContinuation<Void, Never>?
        var failure: LogError?
    }

    private let state = Mutex(State())
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    func enter() async throws {
        await wait(below: limit)
        let failure = state.withLock { state in
            state.count += 1
            return state.failure
        }
        if let failure { throw failure }
    }

    func leave(_ result: Result<Void, LogError>) {
        let waiting = state.withLock { state in
            state.count -= 1
            if case .failure(let error) = result { state.failure = error }
            defer { state.waiting = nil }
            return state.waiting
        }
        waiting?.resume()
    }

    func drain() async throws {
        await wait(below: 1)
        if let failure = state.withLock({ $0.failure }) { throw failure }
    }

    private func wait(below bound: Int) async {
        while true {
            let isFree = state.withLock { $0.count < bound }
            if isFree { return }
            await withCheckedContinuation { continuation in
                let isFree = state.withLock { state in
                    if state.count < bound { return true }
                    state.waiting = continuation
                    return false
                }
                if isFree { continuation.resume() }
            }
        }
    }
}

import FragmentLog
import Glibc
import LogTestSupport
import MediaModel
import NIOCore
import TestSupport

/// Work without end on several streams at once, until the process is killed.
struct Load {
    private let arguments: Arguments
    private let marks: Marks

    init(_ arguments: Arguments) throws {
        self.arguments = arguments
        marks = try Marks(arguments.marks)
    }

    func run() async throws {
        let time = max(try Promises(arguments.marks).time, 1_795_255_200_000)
        let clock = FastClock(from: Timestamp(milliseconds: time + 60_000))
        let log = try await FragmentLog.open(
            .crash(arguments.data, clock: clock),
            logger: QuietLog.logger(false)
        )
        marks.put("run")
        let (arguments, marks) = (arguments, marks)
        await withTaskGroup(of: Void.self) { group in
            for index in 0..<arguments.streams {
                group.addTask {
                    var random = SeededGenerator(seed: arguments.seed &* 977 &+ UInt64(index))
                    while true {
                        do {
                            try await Self.produce(index, log, marks, &random)
                        } catch {
                            say("producer \(index): \(error)")
                            _exit(1)
                        }
                    }
                }
            }
            group.addTask {
                var random = SeededGenerator(seed: arguments.seed &* 977 &+ 101)
                while true {
                    do {
                        try await Self.makeAndDelete(log, marks, &random)
                    } catch {
                        say("deletion: \(error)")
                        _exit(1)
                    }
                }
            }
            group.addTask {
                while true {
                    marks.put("time \(clock.now().milliseconds)")
                    try? await Task.sleep(for: .milliseconds(20))
                }
            }
        }
    }

    /// One or two sessions of one stream.
    private static func produce(
        _ index: Int,
        _ log: FragmentLog,
        _ marks: Marks,
        _ random: inout SeededGenerator
    ) async throws {
        let stream = try await makeStream("s\(index)", index, log, marks)
        let session = try stream.openSession(.test)
        let codec = ["V_UNCOMPRESSED", "V_MJPEG"][Int.random(in: 0...1, using: &random)]
        let producing = Producing(
            marks: marks,
            stream: stream,
            producer: SyntheticProducer(codecID: codec)
        )
        var time = log.now
        if Int.random(in: 0..<6, using: &random) == 0 {
            // Footage sent late.
            time = time.advanced(byMilliseconds: -Int64.random(in: 0...86_400_000, using: &random))
        }
        let count = Int.random(in: 1...30, using: &random)
        for _ in 0..<count {
            let isLarge = Int.random(in: 0..<25, using: &random) == 0
            try await producing.send(
                session,
                at: time,
                samples: isLarge ? 40 : Int.random(in: 1...6, using: &random),
                bytes: Int.random(in: 50...(isLarge ? 12_000 : 4_000), using: &random),
                seed: UInt8.random(in: 0...255, using: &random)
            )
            time = time.advanced(byMilliseconds: 1000)
            if Int.random(in: 0..<8, using: &random) == 0 { producing.report(session, at: time) }
        }
        if Int.random(in: 0..<4, using: &random) == 0 {
            // A rotation: the next session sends before this one has ended.
            let next = try stream.openSession(.test)
            try await producing.send(next, at: time, samples: 2, bytes: 500, seed: 7)
            await producing.end(session)
            await producing.end(next)
        } else {
            await producing.end(session, .disconnected)
        }
    }

    /// Streams 0 and 1 sync each commit, 2 by interval, 3 never; 4 is a ring.
    static func makeStream(
        _ name: String,
        _ index: Int,
        _ log: FragmentLog,
        _ marks: Marks
    ) async throws -> StreamLog {
        let name = StreamName.test(name)
        let kind = index == 4 ? "ring" : index == 3 ? "none" : "sync"
        if let known = log.stream(name) {
            // Made by a run that was killed before it could say so.
            marks.put("adopt \(name) \(kind)")
            return known
        }
        var settings = StreamSettings(name: name, retentionHours: index == 4 ? 0 : 1)
        settings.durability =
            switch index {
            case 2: .interval(milliseconds: 4)
            case 3: .none
            default: .sync
            }
        let stream = try await log.createStream(settings)
        marks.put("stream \(name) \(kind)")
        return stream
    }

    private static func makeAndDelete(
        _ log: FragmentLog,
        _ marks: Marks,
        _ random: inout SeededGenerator
    ) async throws {
        let stream = try await makeStream("gone", 0, log, marks)
        let producing = Producing(marks: marks, stream: stream, producer: SyntheticProducer())
        let session = try stream.openSession(.test)
        var time = log.now
        for _ in 0..<Int.random(in: 1...10, using: &random) {
            try await producing.send(session, at: time, samples: 2, bytes: 900, seed: 3)
            time = time.advanced(byMilliseconds: 1000)
        }
        if Bool.random(using: &random) { await producing.end(session) }
        marks.put("deleting gone")
        try await log.deleteStream(.test("gone"))
        marks.put("deleted gone")
        // A producer that is cut off by the deletion must not find the stream again.
        await session.end(.finished)
    }
}

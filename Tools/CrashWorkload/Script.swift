import FragmentLog
import Glibc
import LogTestSupport
import MediaModel
import NIOCore
import TestSupport

/// A small piece of everything the log does, bounded and always the same for one seed.
///
/// Made to be run with faults injected: a step that fails is reported and passed over, then
/// everything promised so far is read back, and at the end every stream must take footage again.
final class Script {
    private let arguments: Arguments
    private let marks: Marks
    private let clock: SteppedClock
    private var random: SeededGenerator
    private var failures: [String] = []
    private var refusals = 0
    private var acknowledged: [(stream: StreamLog, record: FragmentRecord)] = []

    init(_ arguments: Arguments) throws {
        self.arguments = arguments
        let time = max(try Promises(arguments.marks).time, 1_795_255_200_000)
        marks = try Marks(arguments.marks)
        clock = SteppedClock(Timestamp(milliseconds: time + 1000))
        random = SeededGenerator(seed: arguments.seed)
    }

    /// - Returns: Whether nothing but the injected faults went wrong.
    func run() async throws -> Bool {
        marks.put("run")
        let log = try await open()
        try await work(log)
        for failure in failures { say(failure) }
        say(
            "script: \(acknowledged.count) acknowledged, \(refusals) refused, \(failures.count) wrong"
        )
        if arguments.abandons {
            // A recording has to end between two calls, so spilling comes to rest first.
            var before = -1
            while log.openFragmentBytes != before {
                before = log.openFragmentBytes
                try await Task.sleep(for: .milliseconds(30))
            }
        } else {
            await log.close()
        }
        // At once, as a crash would, and without waiting for anything.
        _exit(failures.isEmpty ? 0 : 1)
    }

    private func open() async throws -> FragmentLog {
        var configuration = LogConfiguration.crash(arguments.data, clock: clock)
        // The script sweeps when it says so.
        configuration.sweepMilliseconds = 3_600_000
        for _ in 0..<8 {
            do {
                return try await FragmentLog.open(configuration, logger: QuietLog.logger(false))
            } catch {
                refused("open", error)
            }
        }
        return try await FragmentLog.open(configuration, logger: QuietLog.logger(false))
    }

    private func work(_ log: FragmentLog) async throws {
        for index in arguments.isSmall ? [0] : [0, 2, 3, 4] {
            let stream = await attempt("create s\(index)") {
                try await Load.makeStream("s\(index)", index, log, self.marks)
            }
            guard let stream else { continue }
            await produce(stream, log)
        }
        await attempt("delete gone") { try await self.deletion(log) }
        await expire(log)
        await resume(log)
        if let stream = log.stream(.test("s0")) { await leaveOpen(stream) }
    }

    /// Sessions of several headers, sizes and times on one stream.
    private func produce(_ stream: StreamLog, _ log: FragmentLog) async {
        let isMain = stream.name.text == "s0"
        for codec in ["V_UNCOMPRESSED", "V_MJPEG"] {
            let producing = Producing(
                marks: marks,
                stream: stream,
                producer: SyntheticProducer(codecID: codec)
            )
            var time = clock.now()
            guard let session = await attempt("session", { try stream.openSession(.test) }) else {
                continue
            }
            for step in 0..<(isMain && !arguments.isSmall ? 8 : 4) {
                clock.pass(milliseconds: 1000)
                time = time.advanced(byMilliseconds: 1000)
                // Footage sent late ends a log segment, and so does its end.
                let late: Int64 = step == 2 ? -7_200_000 : 0
                await send(
                    producing,
                    session,
                    at: time.advanced(byMilliseconds: late),
                    samples: isMain && step == 3 ? 30 : 3,
                    bytes: isMain && step == 3
                        ? 20_000 : Int.random(in: 100...6_000, using: &random)
                )
            }
            producing.report(session, at: time)
            await producing.end(session)
        }
    }

    private func deletion(_ log: FragmentLog) async throws {
        for _ in 0..<(arguments.isSmall ? 1 : 2) {
            let stream = try await Load.makeStream("gone", 0, log, marks)
            let producing = Producing(
                marks: marks,
                stream: stream,
                producer: SyntheticProducer()
            )
            let session = try stream.openSession(.test)
            for _ in 0..<2 {
                clock.pass(milliseconds: 1000)
                _ = try? await producing.send(
                    session,
                    at: clock.now(),
                    samples: 2,
                    bytes: 700,
                    seed: 9
                )
            }
            await producing.end(session)
            marks.put("deleting gone")
            var isDeleted = false
            for _ in 0..<4 where !isDeleted {
                // A deletion that failed half-way is asked for again.
                let result: Void? = await attempt("delete gone") {
                    try await log.deleteStream(.test("gone"))
                }
                isDeleted = result != nil
            }
            if isDeleted {
                marks.put("deleted gone")
            } else {
                failures.append("stream gone cannot be deleted")
            }
        }
    }

    /// Time passes until what there is has expired; then there is new footage.
    private func expire(_ log: FragmentLog) async {
        clock.pass(milliseconds: 50 * 60_000)
        for stream in log.streams() { await sendOne(stream) }
        clock.pass(milliseconds: 25 * 60_000)
        marks.put("time \(clock.now().milliseconds)")
        await log.sweep()
        acknowledged.removeAll {
            $0.record.serverEnd < clock.now().advanced(byMilliseconds: -3_600_000)
                || $0.stream.isRing
        }
        await readBack()
    }

    /// Every stream takes footage again.
    private func resume(_ log: FragmentLog) async {
        openTheTap()
        for stream in log.streams() {
            var isDone = false
            for _ in 0..<4 where !isDone { isDone = await sendOne(stream) }
            if !isDone { failures.append("stream \(stream.name) takes nothing any more") }
        }
        await readBack()
    }

    @discardableResult
    private func sendOne(_ stream: StreamLog) async -> Bool {
        let producing = Producing(marks: marks, stream: stream, producer: SyntheticProducer())
        guard let session = await attempt("session", { try stream.openSession(.test) }) else {
            return false
        }
        clock.pass(milliseconds: 1000)
        let isSent = await send(producing, session, at: clock.now(), samples: 2, bytes: 400)
        await producing.end(session)
        return isSent
    }

    /// A session that the crash finds with a fragment open.
    private func leaveOpen(_ stream: StreamLog) async {
        let producing = Producing(marks: marks, stream: stream, producer: SyntheticProducer())
        await attempt("open fragment") {
            let session = try stream.openSession(.test)
            self.left.session = session
            self.clock.pass(milliseconds: 1000)
            try await producing.send(
                session,
                at: self.clock.now(),
                samples: 2,
                bytes: 300,
                seed: 1
            )
            let fragment = try await session.beginFragment(
                producing.producer.opening(
                    producer: self.clock.now().advanced(byMilliseconds: 1000)
                )
            )
            self.marks.put("begin \(stream.name) \(fragment.number)")
            _ = try producing.fill(fragment, samples: 30, bytes: 20_000, seed: 5)
            self.left.fragment = fragment
        }
    }

    /// Kept, so that nothing ends them.
    private var left: (session: ProducerSession?, fragment: OpenFragment?)

    // MARK: Steps

    @discardableResult
    private func send(
        _ producing: Producing,
        _ session: ProducerSession,
        at time: Timestamp,
        samples: Int,
        bytes: Int
    ) async -> Bool {
        let seed = UInt8.random(in: 0...255, using: &random)
        let record = await attempt("send") {
            try await producing.send(
                session,
                at: time,
                samples: samples,
                bytes: bytes,
                seed: seed
            )
        }
        if let record { acknowledged.append((producing.stream, record)) }
        return record != nil
    }

    @discardableResult
    private func attempt<Value>(_ what: String, _ body: () async throws -> Value) async -> Value? {
        do {
            return try await body()
        } catch {
            refused(what, error)
            await readBack()
            return nil
        }
    }

    private func refused(_ what: String, _ error: any Error) {
        refusals += 1
        say("refused: \(what): \(error)")
        if refusals == 3 { openTheTap() }
    }

    /// Ends faults that last.
    private func openTheTap() {
        guard let clear = arguments.clear else { return }
        close(unsafe Glibc.open(clear, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600))
    }

    /// Reads go on whatever failed.
    private func readBack() async {
        for (stream, record) in acknowledged {
            do {
                guard let found = try await stream.fragment(record.number) else {
                    failures.append("\(stream.name): \(record.number) is not found any more")
                    continue
                }
                _ = try await stream.read(found, .stored)
            } catch {
                if error.code == .streamDeleted || stream.isRing { continue }
                failures.append("\(stream.name): \(record.number) cannot be read: \(error)")
            }
        }
    }
}

import FragmentLog
import Glibc
import LogTestSupport
import Matroska
import MediaModel
import NIOCore

/// Holds what a crash left against what was promised.
struct Check {
    private let arguments: Arguments
    private let promises: Promises

    init(_ arguments: Arguments) throws {
        self.arguments = arguments
        promises = try Promises(arguments.marks)
    }

    /// - Returns: Whether every promise was kept; a line for each that was not is printed.
    func passes() async throws -> Bool {
        if arguments.isPowerCut {
            // The kernel of a machine that lost power has nothing in its cache.
            _ = unsafe unlink("\(arguments.data)/boot")
        }
        var failures: [String] = []
        if unsafe access("\(arguments.data)/format", F_OK) == 0 {
            failures += try await verify("before recovery")
        }
        let start = Timestamp(milliseconds: max(promises.time, 1_795_255_200_000) + 1)
        let log = try await FragmentLog.open(
            .crash(arguments.data, clock: SteppedClock(start)),
            logger: QuietLog.logger(false)
        )
        for (name, error) in log.damagedStreams { failures.append("stream \(name): \(error)") }
        var count = 0
        for (name, stream) in promises.streams.sorted(by: { $0.key < $1.key }) {
            do {
                count += try await check(name, stream, log, start, &failures)
            } catch {
                failures.append("stream \(name): \(error)")
            }
        }
        for name in promises.deleted where log.stream(.test(name))?.head != nil {
            failures.append("stream \(name) was deleted and is there")
        }
        await log.close()
        failures += try await verify("after recovery")
        for failure in failures { say(failure) }
        say(
            "checked \(count) fragments of \(promises.lineCount) marks, "
                + "\(failures.count) failures"
        )
        return failures.isEmpty
    }

    private func verify(_ when: String) async throws -> [String] {
        let report = try await FragmentLog.verify(
            directory: arguments.data,
            clock: SteppedClock(Timestamp(milliseconds: promises.time))
        )
        return report.findings.filter { $0.severity > .notice }.map { "\(when): \($0)" }
    }

    /// - Returns: How many acknowledged fragments were read.
    private func check(
        _ name: String,
        _ promised: Promises.Stream,
        _ log: FragmentLog,
        _ now: Timestamp,
        _ failures: inout [String]
    ) async throws -> Int {
        guard let stream = log.stream(.test(name)) else {
            if !promised.isBeingDeleted { failures.append("stream \(name) is gone") }
            return 0
        }
        let acknowledged = Dictionary(
            promised.fragments.map { ($0.number, $0) },
            uniquingKeysWith: { first, _ in first }
        )
        if acknowledged.count != promised.fragments.count {
            failures.append("stream \(name): a number was acknowledged twice")
        }
        let cutoff = now.advanced(byMilliseconds: -3_600_000)
        var seen: Set<FragmentNumber> = []
        var last: FragmentRecord?
        var cursor = try await stream.cursor(.earliest)
        while case .stored(let record) = try await cursor.next(follow: false) {
            if let last, record.number <= last.number || record.ordinal <= last.ordinal {
                failures.append("stream \(name): \(record.number) does not follow \(last.number)")
            }
            last = record
            seen.insert(record.number)
            do {
                try await read(record, acknowledged[record.number], stream)
            } catch {
                // Expired between the two looks.
                let isGone = (error as? LogError)?.code == .gone
                if isGone, record.serverEnd < cutoff || stream.isRing { continue }
                failures.append("stream \(name), fragment \(record.number): \(error)")
            }
        }
        let mayLose =
            promised.durability == "ring" || (promised.durability == "none" && arguments.isPowerCut)
        // Its deletion went through, and somebody has made another of the name.
        let isAnother = promised.isBeingDeleted && seen.isDisjoint(with: acknowledged.keys)
        if isAnother { return 0 }
        for fragment in promised.fragments
        where !seen.contains(fragment.number) && fragment.serverEnd >= cutoff && !mayLose {
            failures.append("stream \(name): acknowledged fragment \(fragment.number) is lost")
        }
        try await checkLookups(name, promised, seen, cutoff, stream, &failures)
        try await checkGaps(name, promised, cutoff, stream, &failures)
        try await checkNumbers(name, promised, last, stream, &failures)
        return seen.intersection(acknowledged.keys).count
    }

    private func read(
        _ record: FragmentRecord,
        _ promised: Promises.Fragment?,
        _ stream: StreamLog
    ) async throws {
        let bytes = try await stream.read(record, .stored)
        let parsed = try StoredFragment.parse(bytes)
        guard parsed.number == record.number, parsed.table.ordinal == record.ordinal else {
            throw Wrong("holds \(parsed.number), ordinal \(parsed.table.ordinal)")
        }
        guard let promised else { return }
        guard promised.ordinal == record.ordinal, promised.session == record.session,
            promised.producer == record.producer, promised.serverEnd == record.serverEnd,
            !record.flags.contains(.incomplete)
        else { throw Wrong("is not as it was acknowledged") }
        let cluster = try await stream.read(record, .cluster)
        let prefix = ClusterWriter.prefixLength
        let children = cluster.getSlice(at: prefix, length: cluster.readableBytes - prefix)
        guard let children, children.readableBytes == promised.length,
            CRC32.of(children) == promised.crc
        else { throw Wrong("has other bytes than were sent") }
    }

    /// The index finds by time what the cursor finds by number.
    private func checkLookups(
        _ name: String,
        _ promised: Promises.Stream,
        _ seen: Set<FragmentNumber>,
        _ cutoff: Timestamp,
        _ stream: StreamLog,
        _ failures: inout [String]
    ) async throws {
        // The ring of retention 0 is never listed.
        if promised.durability == "ring" { return }
        let present = promised.fragments.filter {
            seen.contains($0.number) && $0.serverEnd >= cutoff
        }
        let step = max(1, present.count / 8)
        for index in stride(from: 0, to: present.count, by: step) {
            let fragment = present[index]
            let range = fragment.producer..<fragment.producer.advanced(byMilliseconds: 1)
            let page = try await stream.fragments(FragmentQuery(range: range))
            let isFound = page.fragments.contains {
                $0.producer == fragment.producer && $0.number >= fragment.number
            }
            if !isFound {
                failures.append(
                    "stream \(name): \(fragment.number) is not found at \(fragment.producer)"
                )
            }
        }
    }

    private func checkGaps(
        _ name: String,
        _ promised: Promises.Stream,
        _ cutoff: Timestamp,
        _ stream: StreamLog,
        _ failures: inout [String]
    ) async throws {
        let all = Timestamp(milliseconds: 0)..<Timestamp.endOfTime
        let missing = promised.sessions.filter { $0.value == .open }.map(\.key)
        var stored: [Gap] = []
        // The gap of a crash is written when the log has been opened.
        for _ in 0..<250 {
            stored = try await stream.gaps(in: all, clock: .server, limit: 100_000)
            let crashed = Set(stored.filter { $0.reason == .crash }.map(\.session))
            if missing.allSatisfy({ crashed.contains($0) }) { break }
            try await Task.sleep(for: .milliseconds(20))
        }
        let crashed = Set(stored.filter { $0.reason == .crash }.map(\.session))
        for session in missing where !crashed.contains(session) {
            failures.append("stream \(name): session \(session) was lost without a gap")
        }
        for (session, end) in promised.sessions where end == .ended && crashed.contains(session) {
            failures.append("stream \(name): session \(session) ended and has a gap of a crash")
        }
        let reported = try await stream.gaps(in: all, clock: .producer, limit: 100_000)
        for (session, start) in promised.gaps
        where promised.sessions[session] == .ended && start >= cutoff.milliseconds {
            if !reported.contains(where: { $0.session == session && $0.start.milliseconds == start }
            ) {
                failures.append("stream \(name): the gap at \(start) of session \(session) is lost")
            }
        }
    }

    /// What is sent next has a number that nobody has seen.
    private func checkNumbers(
        _ name: String,
        _ promised: Promises.Stream,
        _ last: FragmentRecord?,
        _ stream: StreamLog,
        _ failures: inout [String]
    ) async throws {
        let session = try stream.openSession(.test)
        let record = try await SyntheticProducer().send(session, producer: stream.log.now)
        await session.end(.finished)
        if record.number.sequence <= promised.maxSequence
            || record.ordinal <= (last?.ordinal ?? 0) && last != nil
        {
            failures.append("stream \(name): number \(record.number) was given out before")
        }
    }
}

struct Wrong: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

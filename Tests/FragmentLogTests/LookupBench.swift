@testable import FragmentLog
import LogTestSupport
import MediaModel
import TestSupport

/// A stream of six hundred fragments whose producer was at times late, early or mad, and the slow
/// way to look things up in it.
struct LookupBench {
    static let start = Timestamp(milliseconds: 1_795_255_200_000)

    let place: TemporaryLog
    let clock = SteppedClock(start)
    let log: FragmentLog
    let stream: StreamLog
    private(set) var all: [FragmentRecord] = []

    /// Fills the stream.
    ///
    /// - Parameters:
    ///   - clockSteps: By how many milliseconds somebody sets the server's clock before a fragment.
    ///   - sweeps: Whether retention looks at the stream right after each of these steps.
    /// - Throws: When the log cannot be made or filled.
    init(clockSteps: [Int: Int64] = [:], sweeps: Bool = false) async throws {
        var place = try TemporaryLog(clock: clock)
        place.configuration.roll.bytes = 6000
        place.configuration.sweepMilliseconds = 3_600_000
        self.place = place
        log = try await place.open()
        stream = try await log.createStream(StreamSettings(name: .test(), retentionHours: 48))
        var random = SeededGenerator(seed: 11)
        var time = Self.start
        var session = try stream.openSession(.test)
        let producer = SyntheticProducer()
        for index in 0..<600 {
            clock.pass(milliseconds: Int64.random(in: 100...2000, using: &random))
            if let step = clockSteps[index] {
                clock.step(wallMilliseconds: step)
                if sweeps { await log.sweep() }
            }
            time = time.advanced(byMilliseconds: Int64.random(in: 500...1500, using: &random))
            var sent = time
            switch index {
            case 100, 400: sent = Timestamp(milliseconds: 0)
            case 150: sent = Timestamp(milliseconds: 4_292_000_000_000)
            case 250: sent = Timestamp(milliseconds: -86_400_000)
            // The same start again: a resend.
            case 300, 301: sent = all[290].producer
            default:
                if Int.random(in: 0..<100, using: &random) == 0 {
                    sent = time.advanced(
                        byMilliseconds: -Int64.random(in: 1...80_000_000, using: &random)
                    )
                }
            }
            if index % 97 == 0 {
                await session.end(.finished)
                session = try stream.openSession(.test)
            }
            all.append(
                try await producer.send(
                    session,
                    producer: sent,
                    samples: 1,
                    bytes: 40,
                    durationMilliseconds: UInt32([0, 700, 1000, 9000][index % 4])
                )
            )
        }
        await session.end(.finished)
    }

    /// What the lookup has to give, the slow way.
    func expected(
        _ all: [FragmentRecord],
        _ range: Range<Timestamp>,
        _ clock: StreamClock
    ) -> [FragmentNumber] {
        if range.isEmpty { return [] }
        let inRange = all.filter { record in
            let (start, end) = (record.start(on: clock), record.end(on: clock))
            return start < range.upperBound && end > range.lowerBound
                || start == end && range.contains(start)
        }
        if clock == .server { return inRange.map(\.number).sorted() }
        // A later fragment of the same start counts also where it is too short for the range.
        var newest: [Timestamp: FragmentNumber] = [:]
        for record in all {
            newest[record.producer] = max(newest[record.producer] ?? record.number, record.number)
        }
        return inRange.filter { newest[$0.producer] == $0.number }
            .sorted { $0.producer < $1.producer }.map(\.number)
    }

    /// Ranges of every length around fragments on either clock, and extreme ones.
    var ranges: [Range<Timestamp>] {
        var random = SeededGenerator(seed: 5)
        func at(_ milliseconds: Int64) -> Timestamp { Timestamp(milliseconds: milliseconds) }
        var ranges = [
            at(.min)..<at(.max), at(0)..<at(1), at(-86_400_001)..<at(-86_399_000),
            at(4_291_999_999_999)..<at(4_292_000_000_001), at(1)..<at(1_700_000_000_000),
            Self.start..<Self.start,
        ]
        for index in 0..<Effort.count(90, underThreadSanitizer: 6) {
            let record = all[Int.random(in: 0..<all.count, using: &random)]
            let from = record.start(on: index % 3 == 0 ? .server : .producer).advanced(
                byMilliseconds: Int64.random(in: -20_000...2000, using: &random)
            )
            let length = [0, 1, 500, 5000, 120_000, 90_000_000][
                Int.random(in: 0..<6, using: &random)
            ]
            ranges.append(from..<from.advanced(byMilliseconds: Int64(length)))
        }
        return ranges
    }
}

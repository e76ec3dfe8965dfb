import ArgumentParser
import FragmentLog
import Logging
import MediaModel

/// Times look-ups of random ranges.
struct Lookup: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Open a data directory and time look-ups of ten fragments at random times."
    )

    @Option(help: "Data directory.") var data: String
    @Option(help: "Look-ups.") var count = 20_000

    func run() async throws {
        var configuration = LogConfiguration(directory: data)
        configuration.copyMilliseconds = 0
        let clock = ContinuousClock()
        let begin = clock.now
        let log = try await FragmentLog.open(
            configuration,
            logger: Logger(label: "bench") { _ in SwiftLogNoOpLogHandler() }
        )
        print("opened in \(clock.now - begin)")
        let streams = log.streams()
        for side in StreamClock.allCases {
            var times: [Duration] = []
            var found = 0
            for index in 0..<count {
                let stream = streams[index % streams.count]
                guard let head = stream.head, let oldest = try await stream.oldest() else {
                    continue
                }
                // By producer time the head may be backfill: the stretch is as long as its fragments.
                let low = oldest.start(on: side)
                let length =
                    side == .server
                    ? head.server.milliseconds(since: low)
                    : Int64(head.ordinal - oldest.ordinal) * Int64(head.durationMilliseconds)
                let at = low.advanced(byMilliseconds: Int64.random(in: 0...max(1, length)))
                let query = FragmentQuery(
                    range: at..<at.advanced(byMilliseconds: 200),
                    clock: side,
                    limit: 10
                )
                let start = clock.now
                let page = try await stream.fragments(query)
                times.append(clock.now - start)
                found += page.fragments.count
            }
            times.sort()
            print(
                "by \(side.rawValue): \(times.count) look-ups, \(found) fragments, p50 \(times[times.count / 2]), p99 \(times[times.count * 99 / 100]), max \(times[times.count - 1])"
            )
        }
        await log.close()
    }
}

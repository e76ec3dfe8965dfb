import KinelogClient
import MediaModel
import NIOCore

/// Footage of a stream on its way out at a chosen speed.
struct Replay: Sendable {
    /// The stream.
    let name: String

    /// Where its footage begins.
    let from: TimeReference

    /// Where it ends; `nil` to go on with what is still to come.
    let until: TimeReference?

    /// The clock that the two are on.
    let clock: FragmentClock

    /// How fast.
    let speed: Pacer.Speed

    /// Pauses in the footage longer than this are not waited for, in milliseconds.
    let pauseMillisecondsMax: Int64

    /// Whether another stream gets the capture times of this one.
    let keepsTimes: Bool

    /// How long another stream is kept waiting for the next sample, in milliseconds.
    ///
    /// What comes later is sent on its own. Well below the half minute after which servers give producers up.
    private static let waitMillisecondsMax: Int64 = 5000

    /// Writes the footage to a file or to standard output, and says so.
    ///
    /// - Throws: ``KinelogClientError``, ``CommandError``.
    func run(
        toFile path: String,
        replaces: Bool,
        json: Bool,
        _ client: KinelogClient
    ) async throws {
        let files = try await feed(client, breaksAtPauses: false) { feed in
            var writer = DocumentWriter(path: path, replaces: replaces)
            var progress = ProgressLine()
            while let piece = try await feed.next() {
                try await writer.write(piece)
                progress.show("\(HumanText.bytes(writer.byteCount)) replayed")
            }
            progress.clear()
            try writer.finish()
            guard writer.byteCount > 0 else { throw nothingThere }
            return writer.written
        }
        if path == "-" { return }
        for file in files { try FileOutput.line(file.path, file.byteCount, json: json) }
    }

    /// Sends the footage to another stream, as a producer that sends one document after another.
    ///
    /// - Throws: ``KinelogClientError``, ``CommandError``.
    func run(toStream other: String, json: Bool, _ client: KinelogClient) async throws {
        let isEmpty = try await feed(client, breaksAtPauses: true) { feed in
            var isEmpty = true
            while let document = try await feed.nextDocument(
                waitMilliseconds: Self.waitMillisecondsMax
            ) {
                isEmpty = false
                let push = Push(
                    name: other,
                    options: PushOptions(
                        startMilliseconds: keepsTimes ? document.startMilliseconds : nil,
                        contentType: "video/x-matroska"
                    ),
                    length: nil,
                    output: json ? .json : .text
                )
                try await push.run(document, client)
            }
            return isEmpty
        }
        if isEmpty { throw nothingThere }
    }

    /// Runs a body with the footage, which is fetched a fragment ahead meanwhile.
    private func feed<Value: Sendable>(
        _ client: KinelogClient,
        breaksAtPauses: Bool,
        _ body: (ReplayFeed) async throws -> Value
    ) async throws -> Value {
        let walk = try await FragmentWalk(name, from: from, until: until, clock: clock, client)
        let handoff = Handoff<FragmentFetcher.Event>()
        let fetcher = FragmentFetcher(
            walk,
            of: name,
            speed: speed,
            pauseMillisecondsMax: breaksAtPauses ? Self.waitMillisecondsMax : nil,
            client
        )
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { [fetcher] in
                var fetcher = fetcher
                do {
                    while let event = try await fetcher.next() { try await handoff.give(event) }
                    handoff.end(nil)
                } catch {
                    handoff.end(error)
                }
            }
            defer {
                handoff.abandon()
                group.cancelAll()
            }
            return try await body(
                ReplayFeed(
                    handoff,
                    Pacer(speed: speed, pauseMillisecondsMax: pauseMillisecondsMax)
                )
            )
        }
    }

    private var nothingThere: CommandError {
        CommandError(
            "Stream '\(name)' has no footage in this range; 'kinelog fragments \(name)' lists what it has."
        )
    }
}

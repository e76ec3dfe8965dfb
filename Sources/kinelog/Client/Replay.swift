import KinelogClient
import NIOCore

/// Footage of a stream on its way out at a chosen speed.
struct Replay: Sendable {
    /// The stream.
    let name: String

    /// Which of its footage.
    let range: TimeRange

    /// How fast.
    let speed: Pacer.Speed

    /// Pauses in the footage longer than this are not waited for, in milliseconds.
    let pauseMillisecondsMax: Int64

    /// Whether another stream gets the capture times of this one.
    let keepsTimes: Bool

    private func media(
        _ client: KinelogClient
    ) async throws -> PacedMedia<MediaDownload> {
        PacedMedia(
            try await client.media(of: name, in: range),
            speed: speed,
            pauseMillisecondsMax: pauseMillisecondsMax
        )
    }

    /// Writes the footage to a file or to standard output.
    ///
    /// - Throws: ``KinelogClientError``, ``CommandError``.
    func run(toFile path: String, replaces: Bool, _ client: KinelogClient) async throws {
        var writer = DocumentWriter(path: path, replaces: replaces)
        var progress = ProgressLine()
        for try await piece in try await media(client) {
            try await writer.write(piece)
            progress.show("\(HumanText.bytes(writer.byteCount)) replayed")
        }
        progress.clear()
        try writer.finish()
        guard writer.byteCount > 0 else { throw nothingThere }
        if path == "-" { return }
        for file in writer.written {
            try Terminal.line("\(file.path)  \(HumanText.bytes(file.byteCount))")
        }
    }

    /// Sends the footage to another stream, as a producer that sends one document after another.
    ///
    /// - Throws: ``KinelogClientError``, ``CommandError``.
    func run(toStream other: String, _ client: KinelogClient) async throws {
        let media = try await media(client)
        let handoff = Handoff<TimedPiece>()
        let keepsTimes = keepsTimes
        let isEmpty = try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                do {
                    for try await piece in media { try await handoff.give(piece) }
                    handoff.end(nil)
                } catch {
                    handoff.end(error)
                }
            }
            defer {
                handoff.abandon()
                group.cancelAll()
            }
            var isEmpty = true
            var documents = DocumentSplitter(handoff)
            while let document = try await documents.next() {
                isEmpty = false
                let push = Push(
                    name: other,
                    options: PushOptions(
                        startMilliseconds: keepsTimes ? document.startMilliseconds : nil,
                        contentType: "video/x-matroska"
                    ),
                    length: nil,
                    output: .text
                )
                try await push.run(document, client)
            }
            return isEmpty
        }
        if isEmpty { throw nothingThere }
    }

    private var nothingThere: CommandError {
        CommandError(
            "Stream '\(name)' has no footage in this range; 'kinelog fragments \(name)' lists what it has."
        )
    }
}

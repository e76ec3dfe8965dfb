import AsyncHTTPClient
public import NIOCore
import NIOHTTP1

extension KinelogClient {
    /// Sends media to a stream as one producer and waits until all of it is durable.
    ///
    /// The bytes are asked for as fast as the server takes them and no faster. The server says what
    /// it has stored as it goes along, which is passed on at once.
    ///
    /// - Parameters:
    ///   - media: One MPEG-TS or Matroska file or live feed, in pieces of any size.
    ///   - length: How many bytes `media` has, when that is known.
    ///   - name: The stream, which the server creates if it may.
    ///   - options: What is said about the media.
    ///   - onPersisted: Called for each fragment once it is durable, in order.
    /// - Returns: What was stored in all.
    /// - Throws: ``KinelogClientError``; fragments reported before it are durable nevertheless.
    public func push<Media: AsyncSequence & Sendable>(
        _ media: Media,
        length: Int64? = nil,
        to name: String,
        _ options: PushOptions = PushOptions(),
        onPersisted: (Fragment) async -> Void = { _ in }
    ) async throws(KinelogClientError) -> PushReceipt where Media.Element == ByteBuffer {
        let attempt = "push to stream '\(name)'"
        var target = RequestTarget("streams", name, "media")
        target.query("startTimestamp", options.startMilliseconds.map(String.init))
        var request = request(.PUT, target)
        request.headers.add(name: "Accept", value: "application/x-ndjson")
        request.headers.add(
            name: "Content-Type",
            value: options.contentType ?? "application/octet-stream"
        )
        request.body = .stream(media, length: length.map { .known($0) } ?? .unknown)
        let response = try await send(request, attempt, .steady)
        var lines = LineReader()
        do {
            for try await bytes in response.body {
                for line in try lines.feed(bytes) {
                    if let receipt = try await take(line, attempt, onPersisted) { return receipt }
                }
            }
            if let line = lines.rest, let receipt = try await take(line, attempt, onPersisted) {
                return receipt
            }
        } catch {
            throw .transport(error, attempt, server)
        }
        throw KinelogClientError(
            .connectionLost,
            "Could not \(attempt): the answer of \(server) ended before it said that all is stored. List the fragments to see what is, then send the rest."
        )
    }

    /// Takes one line of the answer; gives the receipt that the last one is.
    private func take(
        _ line: ByteBuffer,
        _ attempt: String,
        _ onPersisted: (Fragment) async -> Void
    ) async throws -> PushReceipt? {
        let event = try JSONText.read(PushEvent.self, line)
        if event.event == "persisted" {
            await onPersisted(try JSONText.read(Fragment.self, line))
        }
        // A later server may say more.
        guard event.event == "end" else { return nil }
        let receipt = try JSONText.read(PushReceipt.self, line)
        guard let error = event.error else { return receipt }
        var refusal = KinelogClientError.error(error, status: nil, attempt)
        refusal.message += Self.stored(receipt)
        throw refusal
    }

    private static func stored(_ receipt: PushReceipt) -> String {
        switch receipt.fragments {
        case 0: " Nothing was stored."
        case 1: " One fragment before that is stored."
        default: " The \(receipt.fragments) fragments before that are stored."
        }
    }

    private struct PushEvent: Decodable {
        var event: String?
        var error: Refusal.Fields?
    }
}

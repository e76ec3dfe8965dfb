import KinelogClient
import NIOCore
import Synchronization

/// One push with what the command says about it.
struct Push: Sendable {
    /// What is written to standard output.
    enum Output {
        /// A line at the end.
        case text
        /// A JSON line for each durable fragment and one at the end.
        case json
        /// Nothing.
        case none
    }

    /// The stream.
    let name: String

    /// What is said about the media.
    let options: PushOptions

    /// How many bytes there are, when that is known.
    let length: Int64?

    /// What is written to standard output.
    let output: Output

    private struct JSONEvent: Encodable {
        var event: String
        var fragment: Fragment
    }

    /// Sends the media and waits until it is durable.
    ///
    /// - Throws: ``KinelogClientError``, and what the media throws.
    func run<Media: AsyncSequence & Sendable>(
        _ media: Media,
        _ client: KinelogClient
    ) async throws where Media.Element == ByteBuffer {
        let sent = ByteCounter()
        let progress = Mutex(ProgressLine())
        let length = length
        let counted = media.map { bytes in
            sent.add(bytes.readableBytes)
            progress.withLock { $0.show(Self.progress(sent, of: length)) }
            return bytes
        }
        defer { progress.withLock { $0.clear() } }
        let receipt = try await client.push(counted, to: name, options) { fragment in
            sent.addFragment()
            guard output == .json else { return }
            try? JSONOutput.line(JSONEvent(event: "persisted", fragment: fragment))
        }
        progress.withLock { $0.clear() }
        switch output {
        case .none: break
        case .json: try JSONOutput.line(receipt)
        case .text: try Self.lines(of: receipt, name).forEach(Terminal.line)
        }
    }

    private static func progress(_ sent: ByteCounter, of length: Int64?) -> String {
        let bytes = HumanText.bytes(sent.bytes)
        let fragments = HumanText.count(sent.fragments, "fragment")
        guard let length else { return "\(bytes) sent, \(fragments) durable" }
        return "\(ProgressLine.bar(sent.bytes, of: length))  \(bytes) sent, \(fragments) durable"
    }

    /// What was stored, and what was not.
    static func lines(of receipt: PushReceipt, _ name: String) -> [String] {
        let fragments = HumanText.count(receipt.fragments, "fragment")
        let size = HumanText.bytes(receipt.sizeBytes)
        return ["Stored \(fragments), \(size), in stream '\(name)'."]
            + receipt.gaps.map { gap in
                let length = HumanText.duration(milliseconds: max(0, gap.toMs - gap.fromMs))
                return "Not stored: \(length) (\(gap.reason))."
            }
    }
}

/// What has been sent so far, counted from several tasks.
final class ByteCounter: Sendable {
    private let counted = Atomic<Int64>(0)
    private let stored = Atomic<Int64>(0)

    /// Bytes handed to the connection.
    var bytes: Int64 { counted.load(ordering: .relaxed) }

    /// Fragments known to be durable.
    var fragments: Int64 { stored.load(ordering: .relaxed) }

    func add(_ count: Int) { counted.add(Int64(count), ordering: .relaxed) }

    func addFragment() { stored.add(1, ordering: .relaxed) }
}

import KinelogClient
import NIOCore

/// Fetches the footage of a replay, a fragment at a time and each in one go: no connection waits for
/// footage to become due.
struct FragmentFetcher {
    /// What comes next.
    enum Event: Sendable {
        /// A fragment, in pieces that are due one after another.
        case footage([TimedPiece])
        /// Nothing has come for a while; what comes next begins a document.
        case quiet
    }

    /// How often it is asked whether there is footage that is still to come.
    private static let pollTime = Duration.milliseconds(500)

    private let client: KinelogClient
    private let name: String
    private let speed: Pacer.Speed
    /// Where the footage pauses for longer a document ends, in milliseconds; `nil` never.
    private let pauseMillisecondsMax: Int64?

    private var walk: FragmentWalk
    private var walker = MatroskaWalker()
    /// The last fragment, and where timecode zero of its document lies.
    private var document: (last: Fragment, zero: Int64)?
    private var quietPolls = 0

    /// A fetcher before the first fragment.
    ///
    /// - Parameters:
    ///   - walk: Which fragments.
    ///   - name: Their stream.
    ///   - speed: How fast they are played.
    ///   - pauseMillisecondsMax: Where playing pauses for longer a document ends, in milliseconds;
    ///     `nil` lets documents go on.
    ///   - client: Whom to ask.
    init(
        _ walk: FragmentWalk,
        of name: String,
        speed: Pacer.Speed,
        pauseMillisecondsMax: Int64?,
        _ client: KinelogClient
    ) {
        self.walk = walk
        self.name = name
        self.speed = speed
        self.pauseMillisecondsMax = pauseMillisecondsMax
        self.client = client
    }

    /// What comes next, waited for; `nil` at the end.
    ///
    /// - Throws: ``KinelogClientError``, ``CommandError`` when the footage is damaged.
    mutating func next() async throws -> Event? {
        while true {
            if let fragment = try await walk.next() {
                quietPolls = 0
                if let pieces = try await fetch(fragment) { return .footage(pieces) }
                continue
            }
            guard walk.follows else { return nil }
            try await Task.sleep(for: Self.pollTime)
            quietPolls += 1
            if let pauseMillisecondsMax, document != nil,
                Self.pollTime * quietPolls >= .milliseconds(pauseMillisecondsMax)
            {
                document = nil
                return .quiet
            }
        }
    }

    /// The pieces of a fragment; `nil` when it is no longer kept.
    private mutating func fetch(_ fragment: Fragment) async throws -> [TimedPiece]? {
        if let last = document?.last, isPause(last, fragment) { document = nil }
        var bytes = ByteBuffer()
        do {
            let media = try await client.fragmentMedia(
                fragment.fragmentNumber,
                of: name,
                after: document.map { ($0.last.fragmentNumber, zeroMilliseconds: $0.zero) }
            )
            for try await piece in media { bytes.writeImmutableBuffer(piece) }
        } catch let error as KinelogClientError
            where error.code == .gone || error.serverCode == "fragmentNotFound"
        {
            return nil
        }
        let pieces = try walker.feed(bytes)
        let zero = pieces.lazy.compactMap(\.documentMilliseconds).last ?? document?.zero
        document = zero.map { (fragment, $0) }
        return pieces
    }

    /// Whether playing pauses for too long between two fragments.
    private func isPause(_ last: Fragment, _ next: Fragment) -> Bool {
        guard let pauseMillisecondsMax, case .thousandths(let speed) = speed,
            let from = last.producerMilliseconds, let to = next.producerMilliseconds
        else { return false }
        let pause = (Int128(to) - Int128(from) - Int128(last.durationMs)) * 1000 / Int128(speed)
        return pause > Int128(pauseMillisecondsMax)
    }
}

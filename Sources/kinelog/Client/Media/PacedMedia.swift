import NIOCore

/// Media on its way at its own speed.
///
/// The first bytes tell the container; its clock tells when each piece is due.
struct PacedMedia<Base: AsyncSequence & Sendable>: AsyncSequence, Sendable
where Base.Element == ByteBuffer {
    private let base: Base
    private let speed: Pacer.Speed
    private let pauseMillisecondsMax: Int64

    /// Paces media.
    ///
    /// - Parameters:
    ///   - base: MPEG-TS or Matroska, in pieces of any size.
    ///   - speed: How fast it goes out.
    ///   - pauseMillisecondsMax: A pause longer than this is not waited for.
    init(_ base: Base, speed: Pacer.Speed, pauseMillisecondsMax: Int64 = .max) {
        self.base = base
        self.speed = speed
        self.pauseMillisecondsMax = pauseMillisecondsMax
    }

    func makeAsyncIterator() -> Iterator {
        Iterator(
            base: base.makeAsyncIterator(),
            pacer: Pacer(speed: speed, pauseMillisecondsMax: pauseMillisecondsMax)
        )
    }

    /// Gives one piece after another, each when it is due.
    struct Iterator: AsyncIteratorProtocol {
        private var base: Base.AsyncIterator
        private var pacer: Pacer
        private var walker: MediaWalker?
        private var first = ByteBuffer()
        private var pieces: ArraySlice<TimedPiece> = []
        private var isAtEnd = false
        /// Capture time of the current document's start.
        private var documentMilliseconds: Int64 = 0
        private let start = ContinuousClock.now

        init(base: Base.AsyncIterator, pacer: Pacer) {
            self.base = base
            self.pacer = pacer
        }

        /// The next piece; `nil` at the end.
        ///
        /// - Throws: ``CommandError`` when the media is neither MPEG-TS nor Matroska, and what the
        ///   source throws.
        mutating func next() async throws -> TimedPiece? {
            while pieces.isEmpty, !isAtEnd {
                if let bytes = try await base.next() {
                    pieces = try take(bytes)[...]
                } else {
                    isAtEnd = true
                    pieces = try finish()[...]
                }
            }
            guard let piece = pieces.popFirst() else { return nil }
            if let stated = piece.documentMilliseconds { documentMilliseconds = stated }
            if let due = piece.dueMilliseconds {
                let now = (ContinuousClock.now - start).milliseconds
                let time = documentMilliseconds.addingReportingOverflow(due).partialValue
                let delay = pacer.delay(for: time, at: now)
                if delay > 0 { try await Task.sleep(for: .milliseconds(delay)) }
            }
            return piece
        }

        private mutating func take(_ bytes: ByteBuffer) throws(CommandError) -> [TimedPiece] {
            if walker == nil {
                first.writeImmutableBuffer(bytes)
                guard first.readableBytes > 188 else { return [] }
                return try begin()
            }
            return try walker?.feed(bytes) ?? []
        }

        private mutating func finish() throws(CommandError) -> [TimedPiece] {
            var pieces: [TimedPiece] = []
            if walker == nil {
                guard first.readableBytes > 0 else { return [] }
                pieces = try begin()
            }
            return pieces + (walker?.finish() ?? [])
        }

        private mutating func begin() throws(CommandError) -> [TimedPiece] {
            var walker = try MediaWalker(first)
            let pieces = try walker.feed(first)
            self.walker = walker
            first = ByteBuffer()
            return pieces
        }
    }
}

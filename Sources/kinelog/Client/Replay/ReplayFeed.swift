import NIOCore

/// Gives footage out when it is due.
actor ReplayFeed {
    private let source: Handoff<FragmentFetcher.Event>
    private var pacer: Pacer
    private let start = ContinuousClock.now
    private var pieces: ArraySlice<TimedPiece> = []
    /// Capture time of the current document's start.
    private var documentMilliseconds: Int64 = 0

    /// A feed of what a fetcher hands over.
    init(_ source: Handoff<FragmentFetcher.Event>, _ pacer: Pacer) {
        self.source = source
        self.pacer = pacer
    }

    /// The next piece, when it is due; `nil` at the end.
    ///
    /// - Throws: What the fetcher ended with.
    func next() async throws -> TimedPiece? {
        while pieces.isEmpty {
            switch try await source.take() {
            case .footage(let pieces)?: self.pieces = pieces[...]
            case .quiet?: continue
            case nil: return nil
            }
        }
        return try await takeFirst(waitMilliseconds: .max)
    }

    // MARK: Documents

    /// A document whose first sample is due.
    struct Document: AsyncSequence, Sendable {
        let feed: ReplayFeed
        /// No piece is waited for longer, since a connection waits with it.
        let waitMilliseconds: Int64
        /// Capture time of its first sample, in milliseconds since 1970, where that is known.
        let startMilliseconds: Int64?

        func makeAsyncIterator() -> Iterator { Iterator(document: self) }

        /// Gives one piece after another.
        struct Iterator: AsyncIteratorProtocol {
            let document: Document
            private var isFirst = true

            init(document: Document) { self.document = document }

            /// The next piece; `nil` where the document ends.
            mutating func next() async throws -> ByteBuffer? {
                defer { isFirst = false }
                return try await document.feed.nextInDocument(
                    isFirst: isFirst,
                    waitMilliseconds: document.waitMilliseconds
                )
            }
        }
    }

    /// The next document, once it is due; `nil` at the end.
    ///
    /// - Parameter waitMilliseconds: How long its pieces may keep whoever takes them waiting.
    /// - Returns: The document, whose pieces have yet to be gone through.
    /// - Throws: What the fetcher ended with.
    func nextDocument(waitMilliseconds: Int64) async throws -> Document? {
        while pieces.isEmpty {
            switch try await source.take() {
            case .footage(let pieces)?: self.pieces = pieces[...]
            case .quiet?: continue
            case nil: return nil
            }
        }
        let header = pieces.first?.documentMilliseconds
        let due = pieces.lazy.compactMap(\.dueMilliseconds).first
        if let due {
            try await wait(for: (header ?? documentMilliseconds, due), atMost: .max)
        }
        let sum = header.flatMap { header in due.map { header.addingReportingOverflow($0) } }
        return Document(
            feed: self,
            waitMilliseconds: waitMilliseconds,
            startMilliseconds: sum.flatMap { $0.overflow ? nil : $0.partialValue }
        )
    }

    fileprivate func nextInDocument(
        isFirst: Bool,
        waitMilliseconds: Int64
    ) async throws -> ByteBuffer? {
        if pieces.isEmpty {
            guard case .footage(let pieces)? = try await source.take() else { return nil }
            self.pieces = pieces[...]
        }
        if !isFirst, pieces.first?.startsDocument == true { return nil }
        return try await takeFirst(waitMilliseconds: waitMilliseconds)?.bytes
    }

    // MARK: Time

    private func takeFirst(waitMilliseconds: Int64) async throws -> TimedPiece? {
        guard let piece = pieces.popFirst() else { return nil }
        if let stated = piece.documentMilliseconds { documentMilliseconds = stated }
        if let due = piece.dueMilliseconds {
            try await wait(for: (documentMilliseconds, due), atMost: waitMilliseconds)
        }
        return piece
    }

    /// Waits until a sample of a document is due.
    private func wait(
        for sample: (document: Int64, due: Int64),
        atMost limit: Int64
    ) async throws {
        let now = (ContinuousClock.now - start).milliseconds
        let time = sample.document.addingReportingOverflow(sample.due).partialValue
        let delay = min(pacer.delay(for: time, at: now), limit)
        if delay > 0 { try await Task.sleep(for: .milliseconds(delay)) }
    }
}

import NIOCore
import Synchronization

/// Splits footage into its documents, each of which is a media of its own.
struct DocumentSplitter {
    private let source: Handoff<TimedPiece>
    /// The first piece of the next document, found at the end of the one before.
    private let next: NextPiece

    /// What is found too early.
    final class NextPiece: Sendable {
        private let piece = Mutex<TimedPiece?>(nil)

        func put(_ piece: TimedPiece) { self.piece.withLock { $0 = piece } }

        func take() -> TimedPiece? { piece.withLock { $0.take() } }
    }

    init(_ source: Handoff<TimedPiece>) {
        self.source = source
        next = NextPiece()
    }

    /// The next document, once the one before has been gone through; `nil` after the last one.
    ///
    /// - Throws: What the source throws.
    mutating func next() async throws -> Document? {
        var first: TimedPiece
        if let kept = next.take() {
            first = kept
        } else {
            guard let piece = try await source.take() else { return nil }
            first = piece
        }
        // The header may have come in parts, and the first sample's time comes after it.
        while first.dueMilliseconds == nil, let more = try await source.take() {
            if more.startsDocument {
                next.put(more)
                break
            }
            first.bytes.writeImmutableBuffer(more.bytes)
            first.documentMilliseconds = first.documentMilliseconds ?? more.documentMilliseconds
            first.dueMilliseconds = more.dueMilliseconds
        }
        return Document(first: first, source: source, next: next)
    }

    /// The bytes of one document.
    struct Document: AsyncSequence, Sendable {
        let first: TimedPiece
        let source: Handoff<TimedPiece>
        let next: NextPiece

        /// Capture time of its first sample, in milliseconds since 1970, where that is known.
        var startMilliseconds: Int64? {
            guard let header = first.documentMilliseconds, let due = first.dueMilliseconds else {
                return nil
            }
            let (start, overflow) = header.addingReportingOverflow(due)
            return overflow ? nil : start
        }

        func makeAsyncIterator() -> Iterator { Iterator(document: self, pending: first) }

        /// Gives one piece after another.
        struct Iterator: AsyncIteratorProtocol {
            let document: Document
            var pending: TimedPiece?

            mutating func next() async throws -> ByteBuffer? {
                if let piece = pending.take() { return piece.bytes }
                guard let piece = try await document.source.take() else { return nil }
                guard piece.startsDocument else { return piece.bytes }
                document.next.put(piece)
                return nil
            }
        }
    }
}

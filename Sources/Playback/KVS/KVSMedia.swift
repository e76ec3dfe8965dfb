package import FragmentLog
import Matroska
import MediaModel
package import NIOCore

/// What GetMedia answers with: a document per fragment in number order, from some place on, archived
/// and live alike (KVS 3.2, 3.3).
///
/// A document is the producer's header, the server tags, the producer's tags, the Cluster as it is
/// stored, or with unknown size while it arrives, and the trailing tags with which a client counts
/// it as complete. Incomplete fragments are not given out.
package struct KVSMedia: Sendable {
    private enum Current: Sendable {
        case none
        case stored(KVSStoredFragment)
        case live(KVSLiveFragment)
    }

    private let stream: StreamLog
    private let silence: SilenceLimit
    private var cursor: FragmentCursor
    private var current = Current.none
    private var output = OutputQueue()
    private var lastHeader: SegmentHeader?
    /// The log segment it is of, if it is one's.
    private var lastSegment: SegmentID?
    private var isOver = false

    /// What the client was told in the last document, where that is an error.
    package private(set) var failure: PlaybackError?

    /// Documents begun so far.
    package private(set) var fragmentCount = 0

    /// Finds the place; nothing of the media is read yet.
    ///
    /// - Parameters:
    ///   - stream: The stream to read.
    ///   - start: Where to begin.
    ///   - silenceMilliseconds: How long to wait for the next byte before ending in order.
    /// - Throws: `.gone` when the stream was deleted, `.damaged`, `.ioError`, `.cancelled`.
    package init(
        stream: StreamLog,
        start: CursorStart,
        silenceMilliseconds: Int64 = 30_000
    ) async throws(PlaybackError) {
        self.stream = stream
        silence = SilenceLimit(milliseconds: silenceMilliseconds)
        do throws(LogError) {
            cursor = try await stream.cursor(start)
        } catch {
            throw PlaybackError(error)
        }
    }

    /// The next piece, at most 256 KiB, as soon as there is one.
    ///
    /// `nil` is the orderly end: nothing came for the time given, the stream was deleted, a fragment
    /// that was being relayed did not become complete, or an error was told in a document of its
    /// own (KVS 3.4).
    ///
    /// - Throws: `.ioError` in the middle of a stored fragment, `.gone` when one was deleted there,
    ///   `.cancelled`, which leaves whole what was given out: a stored fragment is brought to its
    ///   end, an arriving one to that of a block.
    package mutating func next() async throws(PlaybackError) -> ByteBuffer? {
        while true {
            if let piece = output.next() { return piece }
            if isOver { return nil }
            switch current {
            case .none:
                if Task.isCancelled { throw PlaybackError.cancelled }
                try await advance()
            case .stored(let fragment): try await proceed(fragment)
            case .live(let fragment): try await proceed(fragment)
            }
        }
    }

    // MARK: Between fragments

    private mutating func advance() async throws(PlaybackError) {
        let step: FragmentCursor.Step?
        do throws(LogError) {
            step = try await nextStep()
        } catch {
            throw PlaybackError(error)
        }
        switch step {
        case .stored(let record):
            if !record.flags.contains(.incomplete) { try await begin(record) }
        case .open(let fragment):
            try await begin(fragment)
        case .end, nil:
            isOver = true
        }
    }

    /// - Returns: `nil` when nothing came for too long.
    private mutating func nextStep() async throws(LogError) -> FragmentCursor.Step? {
        switch try await cursor.next(follow: false) {
        case .end: break
        case let step: return step
        }
        let waiting = cursor
        let found = try await silence.wait {
            () async throws(LogError) -> (FragmentCursor, FragmentCursor.Step) in
            var cursor = waiting
            let step = try await cursor.next(follow: true)
            return (cursor, step)
        }
        guard let (cursor, step) = found else { return nil }
        self.cursor = cursor
        return step
    }

    private mutating func begin(_ record: FragmentRecord) async throws(PlaybackError) {
        do throws(PlaybackError) {
            let fragment = try await KVSStoredFragment(
                record,
                of: stream,
                header: lastSegment == record.segment ? lastHeader : nil
            )
            beginDocument(fragment.header)
            lastSegment = record.segment
            output.append(fragment.start)
            current = .stored(fragment)
        } catch {
            if error.isLoss {
                // Deleted or expired before its turn.
                isOver = error.isStreamClosed
                return
            }
            switch error.code {
            case .damaged, .ioError, .unsupported, .notFound:
                failure = error
                output.append(
                    TagsWriter.errorDocument(
                        fragmentNumber: record.number.description,
                        id: 5000,
                        code: "INTERNAL_ERROR"
                    )
                )
                isOver = true
            case .gone, .cancelled:
                throw error
            }
        }
    }

    private mutating func begin(_ open: OpenFragment) async throws(PlaybackError) {
        var fragment = KVSLiveFragment(open)
        // Its document begins with its first bytes: most fragments that come to nothing then leave
        // no trace.
        let arrival = try await fragment.next(silence)
        switch arrival {
        case .lost: return
        case .silence: isOver = true
        case .bytes, .end:
            beginDocument(open.opening.header)
            lastSegment = nil
            output.append(fragment.start)
            take(arrival, of: fragment)
        }
    }

    private mutating func beginDocument(_ header: SegmentHeader) {
        output.append(OutputHeader.kvs(header, isFirst: header != lastHeader))
        lastHeader = header
        fragmentCount += 1
    }

    // MARK: Inside a fragment

    private mutating func proceed(_ fragment: KVSStoredFragment) async throws(PlaybackError) {
        var fragment = fragment
        if let piece = try await fragment.next() {
            output.append(piece)
            current = .stored(fragment)
        } else {
            output.append(fragment.tagsAfter)
            endDocument(fragment.record.number, fragment.record.server)
        }
    }

    private mutating func proceed(_ fragment: KVSLiveFragment) async throws(PlaybackError) {
        var fragment = fragment
        take(try await fragment.next(silence), of: fragment)
    }

    private mutating func take(_ arrival: KVSLiveFragment.Arrival, of fragment: KVSLiveFragment) {
        switch arrival {
        case .bytes(let bytes):
            output.append(bytes)
            current = .live(fragment)
        case .end(let bytes):
            output.append(bytes)
            output.append(fragment.tagsAfter)
            endDocument(fragment.fragment.number, fragment.fragment.server)
        case .lost, .silence:
            // The client goes on after its last complete fragment (KVS 3.2).
            isOver = true
        }
    }

    private mutating func endDocument(_ number: FragmentNumber, _ server: Timestamp) {
        var behind: Int64 = 0
        if let head = stream.head, head.number > number {
            behind = max(0, head.server.milliseconds(since: server))
        }
        output.append(TagsWriter.trailing(millisBehindNow: behind, continuationToken: number))
        current = .none
    }
}

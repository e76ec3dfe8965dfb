package import FragmentLog
package import MediaModel
package import NIOCore

/// A stretch of a stream as native Matroska, or the stream from some place on as it arrives.
///
/// Each codec set or TimecodeScale begins a new document in the output, and so does producer time
/// that goes back. A document's timecode zero is the instant its DateUTC names, by default the
/// producer timestamp of its first fragment; later fragments lie as far from it as their producer
/// timestamps say, so that gaps have their length.
package struct MatroskaStream: Sendable {
    private enum Source: Sendable {
        case range(FragmentRange)
        case cursor(FragmentCursor, until: Timestamp?)
    }

    private let stream: StreamLog
    private let clock: StreamClock
    private var source: Source
    private var documents = NativeDocuments()
    private var isOver = false

    /// Fragments begun so far.
    package var fragmentCount: Int { documents.fragmentCount }

    /// Looks the first fragment up.
    ///
    /// - Parameters:
    ///   - stream: The stream to read.
    ///   - from: Where the stretch begins. `nil` is the live edge when following (the fragment that
    ///     is arriving, from its start), else the oldest fragment. Where the first fragment is
    ///     dependent, the output begins with the sync fragment before it.
    ///   - to: Where the stretch ends, exclusive; `nil` for everything there is, or for ever.
    ///   - clock: The clock that both are on. Without following it also orders the fragments.
    ///   - follow: Whether to go on with what arrives, in number order, rather than to end at the
    ///     newest durable fragment. Ends when a fragment begins at or after `to`.
    /// - Throws: `.gone`, `.damaged`, `.ioError`, `.cancelled`.
    package init(
        stream: StreamLog,
        from: Timestamp?,
        to: Timestamp?,
        clock: StreamClock,
        follow: Bool
    ) async throws(PlaybackError) {
        self.stream = stream
        self.clock = clock
        do throws(LogError) {
            if follow {
                let start = try await SyncStart.cursorStart(stream, from: from, clock: clock)
                source = .cursor(try await stream.cursor(start), until: to)
            } else {
                let lower = from ?? Timestamp(milliseconds: .min)
                let upper = max(lower, to ?? Timestamp(milliseconds: .max))
                source = .range(try await FragmentRange(stream, lower..<upper, clock))
            }
        } catch {
            throw PlaybackError(error)
        }
    }

    /// The next piece, at most 256 KiB; `nil` at the orderly end.
    ///
    /// A fragment that was deleted or has expired before its turn is passed over. One that arrives
    /// is given out as its blocks come.
    ///
    /// - Throws: `.damaged` naming the fragment, before any byte of it was given out; `.gone` when
    ///   the stream was deleted; `.unsupported`, `.ioError`; `.cancelled`, which leaves whole what
    ///   was given out: a stored fragment is brought to its end, an arriving one to that of a block.
    package mutating func next() async throws(PlaybackError) -> ByteBuffer? {
        while !isOver {
            if let piece = try await documents.next() { return piece }
            if Task.isCancelled { throw PlaybackError.cancelled }
            isOver = try await !advance()
        }
        return nil
    }

    /// Goes on with the next fragment; false when there is none.
    private mutating func advance() async throws(PlaybackError) -> Bool {
        let step: FragmentCursor.Step
        do throws(LogError) {
            step = try await nextStep()
        } catch {
            throw PlaybackError(error)
        }
        do throws(PlaybackError) {
            switch step {
            case .stored(let record):
                if isPastEnd(record.start(on: clock)) { return false }
                try await documents.append(record, of: stream)
            case .open(let fragment):
                if isPastEnd(clock == .producer ? fragment.opening.producer : fragment.server) {
                    return false
                }
                try await documents.append(fragment)
            case .end:
                return false
            }
        } catch {
            // A fragment that went before its turn is passed over. A stream that went ends what
            // follows it, and breaks off a stretch whose rest cannot be given any more.
            guard error.isLoss else { throw error }
            if error.isStreamClosed {
                guard isFollowing else { throw error }
                return false
            }
        }
        return true
    }

    private var isFollowing: Bool {
        if case .cursor = source { return true }
        return false
    }

    private mutating func nextStep() async throws(LogError) -> FragmentCursor.Step {
        switch source {
        case .range(var range):
            let record = try await range.next()
            source = .range(range)
            return record.map { .stored($0) } ?? .end
        case .cursor(var cursor, let until):
            let step = try await cursor.next(follow: true)
            source = .cursor(cursor, until: until)
            return step
        }
    }

    private func isPastEnd(_ start: Timestamp) -> Bool {
        guard case .cursor(_, let until?) = source else { return false }
        return start >= until
    }
}

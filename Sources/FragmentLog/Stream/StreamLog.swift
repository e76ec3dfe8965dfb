import Logging
import Matroska
package import MediaModel
import NIOCore
import Synchronization

/// One stream: its log segments, its open fragments, its producers and its readers.
///
/// Three kinds of work meet here. Producers begin and end fragments under the short lock of
/// ``state``. A *commit run* (see `StreamLog+Commit.swift`), of which there is never more than one
/// at a time, takes what has ended, in number order, and makes it durable. Readers look at the
/// published head, at the catalog for older log segments, and at open fragments.
package final class StreamLog: Sendable {
    /// The part of a log segment under construction that readers may use.
    struct PublishedSegment {
        var id: SegmentID
        /// Records in its `.idx` that are published.
        var count: Int
        var firstRecord: FragmentRecord
        var lastRecord: FragmentRecord
    }

    struct PendingEvent {
        var event: StreamEvent
        var completion: (@Sendable () -> Void)?
    }

    struct State {
        var document: StreamDocument
        /// The next sequence to give out; below `reservedEnd`.
        var nextSequence: UInt64
        /// Sequences below this are reserved durably.
        var reservedEnd: UInt64
        var isReserving = false
        /// The first sequence of this run.
        let firstSequence: UInt64
        var lastServer: Timestamp
        var nextSession: UInt64
        var head: FragmentRecord?
        var active: PublishedSegment?
        /// Complete segments whose rows are still open, with the records they hold.
        var closing: [SegmentID: Int] = [:]
        /// Whether a write of `stream.json` failed in such a way that either document may be there.
        var isDocumentUnsure = false
        /// Why expiry by age waits, until `stream.json` says so.
        var unstoredPause: String?
        /// Fragments that have begun and are not durable yet, in number order.
        var open: [(fragment: OpenFragment, session: ProducerSession)] = []
        var pendingEvents: [PendingEvent] = []
        /// Events that could not be written; tried again with the next ones and from time to time.
        var deferredEvents: [PendingEvent] = []
        var isCommitScheduled = false
        var arbiter: TakeoverArbiter
        /// Which session's fragment was stored last, and when its last bytes came.
        var lastSent: (session: UInt64, bootMilliseconds: Int64)?
        var sessionCount = 0
        /// Set when the stream is deleted or the log is closed: nothing begins any more.
        var closed: LogError?
    }

    /// Identity on disk.
    package let id: StreamID
    /// The stream's name; never changes.
    package let name: StreamName
    /// The log the stream belongs to.
    package let log: FragmentLog
    let directory: String
    let state: Mutex<State>
    /// Signals when a fragment begins, becomes durable or goes, and when the stream closes.
    let changes = ChangeSignal()
    /// Held by the one commit run and by whatever must not run beside it.
    let commit: Mutex<CommitState>
    /// Held while `stream.json` is replaced, so that the newest document wins.
    let documentLock = Mutex(())

    init(
        document: StreamDocument,
        directory: String,
        log: FragmentLog,
        head: FragmentRecord?,
        nextOrdinal: UInt64,
        nextSequence: UInt64,
        nextSession: UInt64,
        eventsLength: UInt64
    ) {
        id = document.info.id
        name = document.info.name
        self.log = log
        self.directory = directory
        let configuration = log.configuration
        state = Mutex(
            State(
                document: document,
                nextSequence: nextSequence,
                reservedEnd: document.sequenceHighWater,
                firstSequence: nextSequence,
                lastServer: head?.server ?? configuration.clockFloor,
                nextSession: nextSession,
                head: head,
                arbiter: TakeoverArbiter(
                    takeoversPerMinuteMax: configuration.takeoversPerMinuteMax,
                    refusalMilliseconds: configuration.contentionMilliseconds
                )
            )
        )
        commit = Mutex(CommitState(nextOrdinal: nextOrdinal, eventsLength: eventsLength))
    }

    /// What is known about the stream.
    package var info: StreamInfo { state.withLock { $0.document.info } }

    /// The newest durable fragment; `nil` while there is none.
    package var head: FragmentRecord? { state.withLock { $0.head } }

    /// Whether the stream keeps only the ring of retention 0.
    package var isRing: Bool { info.settings.retentionHours == 0 }

    /// Who may write the stream's rows.
    var epoch: UInt64 { state.withLock { $0.document.ownerEpoch } }

    // MARK: Sessions

    /// Lets a producer in; nothing of it shows in the log before its first fragment.
    ///
    /// - Throws: `.tooManySessions`, `.contention`, `.diskFull`, `.recordingOff`, `.streamDeleted`.
    package func openSession(_ request: SessionRequest) throws(LogError) -> ProducerSession {
        try log.admitSession(to: self)
        let now = log.clock.bootMilliseconds()
        let (id, failure) = state.withLock { state -> (UInt64, LogError?) in
            if let closed = state.closed { return (0, closed) }
            if !state.document.info.recording {
                return (
                    0,
                    LogError(
                        .recordingOff,
                        "Stream '\(name)' does not record now; start its recording to push to it."
                    )
                )
            }
            let refusal = state.arbiter.refusal(at: now)
            if refusal > 0 { return (0, contention(forMilliseconds: refusal)) }
            state.sessionCount += 1
            state.nextSession += 1
            return (state.nextSession - 1, nil)
        }
        if let failure {
            log.releaseSession()
            if failure.code == .contention { recordRefusal(.contention) }
            throw failure
        }
        return ProducerSession(id: id, request: request, stream: self)
    }

    private func contention(forMilliseconds milliseconds: Int64) -> LogError {
        LogError(
            .contention,
            "Producers fight for stream '\(name)': newcomers are refused for another \((milliseconds + 999) / 1000) s; let one producer send to it.",
            retryAfterMilliseconds: milliseconds
        )
    }

    private func recordRefusal(_ reason: GapReason) {
        let now = log.clock.now()
        record(Gap(start: now, end: now, clock: .server, reason: reason))
    }

    /// Whether another session has taken the stream over from this one.
    func isTakenOver(_ session: UInt64) -> Bool {
        state.withLock { $0.arbiter.current != session }
    }

    enum Beginning {
        case begun(OpenFragment)
        case needsNumbers
    }

    /// Begins a fragment without waiting.
    func begin(
        _ opening: FragmentOpening,
        in session: ProducerSession
    ) throws(LogError)
        -> Beginning
    {
        if let failure = log.ingestFailure() { throw failure }
        let now = log.clock.bootMilliseconds()
        let wall = log.clock.now()
        let isFirst = !session.hasBegun
        var failure: LogError?
        var refused = false
        var interrupted: [OpenFragment] = []
        var overlaps = false
        let fragment = state.withLock { state -> OpenFragment? in
            if let closed = state.closed {
                failure = closed
                return nil
            }
            if state.nextSequence >= state.reservedEnd { return nil }
            if isFirst {
                let last = state.open.last { $0.session.id != session.id }
                let limit = log.configuration.silentTakeoverMilliseconds
                let isOpenSending = (last?.fragment.millisecondsSinceAppend ?? .max) < limit
                // Between two fragments a session is sending as well.
                let hasSent = state.lastSent.map {
                    $0.session == state.arbiter.current && now - $0.bootMilliseconds < limit
                }
                let isSending = isOpenSending || hasSent == true
                switch state.arbiter.firstSample(
                    of: session.id,
                    at: now,
                    isCurrentSending: isSending
                )
                {
                case .proceed: break
                case .takeOver:
                    for other in state.open where !other.fragment.isEnded {
                        overlaps = true
                        if !isOpenSending { interrupted.append(other.fragment) }
                    }
                case .refuse(let milliseconds):
                    failure = contention(forMilliseconds: milliseconds)
                    refused = true
                    return nil
                }
                state.pendingEvents.append(
                    PendingEvent(
                        event: .sessionOpen(
                            session: session.id,
                            protocolName: session.request.protocolName,
                            peer: session.request.peer,
                            clock: session.request.clockSource,
                            at: wall
                        ),
                        completion: nil
                    )
                )
            } else if state.arbiter.current != session.id {
                failure = takenOver(session.id)
                return nil
            }
            let arrived = opening.server ?? wall
            // Small steps back of the clock are clamped; a larger one starts a new log segment.
            let server =
                arrived < state.lastServer
                    && state.lastServer.milliseconds(since: arrived) <= 10_000
                ? state.lastServer : arrived
            state.lastServer = server
            let number = FragmentNumber(
                sequence: state.nextSequence,
                serverMilliseconds: UInt64(max(0, server.milliseconds)),
                random: UInt32.random(in: 0..<(1 << 28))
            )
            state.nextSequence += 1
            let fragment = OpenFragment(
                number: number,
                opening: opening,
                server: server,
                session: session.id,
                stream: self
            )
            state.open.append((fragment, session))
            session.begun(fragment)
            log.budget.enter(fragment)
            return fragment
        }
        if refused { recordRefusal(.contention) }
        if let failure { throw failure }
        guard let fragment else { return .needsNumbers }
        for other in interrupted { other.interrupt(takenOver(other.session)) }
        if overlaps { log.watchOverlap(of: self) }
        reserveNumbersAhead()
        if isFirst { scheduleCommit() }
        changes.signal()
        return .begun(fragment)
    }

    private func takenOver(_ session: UInt64) -> LogError {
        LogError(
            .takenOver,
            "Session \(session) of stream '\(name)' was taken over by a newer producer; stop one of the two."
        )
    }

    /// Ends the open fragment of an older session that has fallen silent while a newer one sends.
    ///
    /// - Returns: Whether an older session's fragment is still open.
    func endSilentOverlap() -> Bool {
        let (silent, remaining) = state.withLock { state -> ([OpenFragment], Bool) in
            let older = state.open.filter {
                !$0.fragment.isEnded && $0.session.id != state.arbiter.current
            }.map(\.fragment)
            let silent = older.filter {
                $0.millisecondsSinceAppend >= log.configuration.silentTakeoverMilliseconds
            }
            return (silent, silent.count < older.count)
        }
        for fragment in silent { fragment.interrupt(takenOver(fragment.session)) }
        return remaining
    }

    func sessionEnded(
        _ session: UInt64,
        hasBegun: Bool,
        reason: SessionEnd,
        completion: @escaping @Sendable () -> Void
    ) {
        log.releaseSession()
        func isStored(_ state: State) -> Bool { hasBegun && !state.document.isDeleted }
        let isStored = state.withLock { state -> Bool in
            state.sessionCount -= 1
            state.arbiter.ended(session)
            // A deleted stream has no file any more to write its events to.
            if isStored(state) {
                state.pendingEvents.append(
                    PendingEvent(
                        event: .sessionEnd(
                            session: session,
                            reason: reason.text,
                            at: log.clock.now()
                        ),
                        completion: completion
                    )
                )
            }
            return isStored(state)
        }
        if isStored { scheduleCommit() } else { completion() }
    }

    /// Stores a stretch without footage.
    func record(_ gap: Gap, completion: (@Sendable () -> Void)? = nil) {
        state.withLock { state in
            guard !state.document.isDeleted else { return }
            var gap = gap
            gap.end = max(gap.start, gap.end)
            // Also one that is not durable yet: its number says when the gap was noted, which is
            // what its expiry goes by where the footage itself is from long ago.
            if gap.after == nil {
                gap.after = state.open.last?.fragment.number ?? state.head?.number
            }
            state.pendingEvents.append(PendingEvent(event: .gap(gap), completion: completion))
        }
        log.logger.notice(
            "gap",
            metadata: [
                "stream.name": "\(name)", "gap.reason": "\(gap.reason.rawValue)",
                "gap.from": "\(gap.start)", "gap.to": "\(gap.end)",
                "samples": "\(gap.sampleCount)", "bytes": "\(gap.byteCount)",
            ]
        )
        scheduleCommit()
    }

    // MARK: Numbers

    /// How many sequences are reserved at a time.
    static let reservationBlock: UInt64 = 1000

    /// Reserves the next block half-way through the current one, off the hot path.
    private func reserveNumbersAhead() {
        let isDue = state.withLock { state -> Bool in
            guard !state.isReserving,
                state.nextSequence + Self.reservationBlock / 2 >= state.reservedEnd
            else { return false }
            state.isReserving = true
            return true
        }
        guard isDue else { return }
        log.commitPool.submit { [self] in
            do throws(LogError) {
                try reserveNumbersBlocking()
            } catch {
                log.logger.warning(
                    "fragment numbers could not be reserved",
                    metadata: ["stream.name": "\(name)", "error": "\(error)"]
                )
            }
            state.withLock { $0.isReserving = false }
        }
    }

    func reserveNumbers() async throws(LogError) {
        try await log.commitPool.run { () throws(LogError) in try self.reserveNumbersBlocking() }
    }

    /// Reserves a block of sequences durably unless half a block is left.
    func reserveNumbersBlocking() throws(LogError) {
        try updateDocument { document in
            let needed = self.state.withLock { state in
                state.nextSequence + Self.reservationBlock / 2 >= state.reservedEnd
            }
            if needed { document.sequenceHighWater += Self.reservationBlock }
        }
        state.withLock { $0.reservedEnd = $0.document.sequenceHighWater }
    }

    // MARK: stream.json

    /// Writes the document in force once more if the disk may hold one that was refused.
    ///
    /// Nothing is promised to a producer before: the disk may say that the stream is deleted.
    func settleDocument() throws(LogError) {
        if state.withLock({ $0.isDocumentUnsure }) { try updateDocument { _ in } }
    }

    /// Changes the stream's document and makes the change durable.
    ///
    /// Blocks.
    ///
    /// The change shows to others only once it is durable.
    func updateDocument(_ change: (inout StreamDocument) throws(LogError) -> Void) throws(LogError)
    {
        try documentLock.withLock { _ throws(LogError) in
            var document = state.withLock { $0.document }
            let before = document
            try change(&document)
            let isUnsure = state.withLock { $0.isDocumentUnsure }
            guard document != before || isUnsure else { return }
            do throws(LogError) {
                try Directory.replaceFile(
                    StreamFiles.document,
                    in: directory,
                    with: document.encoded()
                )
            } catch {
                state.withLock { $0.isDocumentUnsure = true }
                throw error
            }
            state.withLock { state in
                state.document = document
                state.isDocumentUnsure = false
            }
        }
    }
}

/// The names in a stream's directory.
enum StreamFiles {
    static let document = "stream.json"
    static let events = "events.log"

    static func media(_ first: FragmentNumber) -> String { "\(first).mkv" }
    static func index(_ first: FragmentNumber) -> String { "\(first).idx" }
}

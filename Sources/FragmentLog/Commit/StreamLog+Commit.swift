import Catalog
import Glibc
import Logging
import Matroska
import MediaModel
import NIOCore
import Synchronization

/// What only the commit run of a stream touches.
struct CommitState {
    /// The ordinal of the next fragment that is stored.
    var nextOrdinal: UInt64
    /// Bytes of `events.log` that hold intact events.
    var eventsLength: UInt64
    /// Bytes of it that the catalog has taken in.
    var eventsRecorded: UInt64
    var segment: (any SegmentAppender)?
    /// Segments that are complete and that the catalog still takes for open.
    var unclosed: [ClosedSegment] = []

    init(nextOrdinal: UInt64, eventsLength: UInt64) {
        self.nextOrdinal = nextOrdinal
        self.eventsLength = eventsLength
        eventsRecorded = eventsLength
    }
}

/// A log segment that nothing is appended to any more.
struct ClosedSegment {
    var id: SegmentID
    var extent: SegmentExtent
    /// For one whose sync failed: what is known to be durable.
    var durableLength: UInt64?
    /// Whether its row may say what it holds.
    ///
    /// Otherwise the next start has to look, and readers are told by this process until then.
    var isIndexDurable: Bool
}

/// The commit order, executed here and nowhere else:
///
/// - new log segment: create both files → headers → sync both → sync the directory → catalog row →
///   first append;
/// - fragment: append to the `.mkv` → sync → append the `.idx` record → publish → acknowledge;
/// - seal: sync both → catalog row.
///
/// A failed sync is never repeated on its file: what it may have lost cannot be told.
extension StreamLog {
    /// What one pass makes durable.
    struct CommitWork {
        var events: [PendingEvent]
        var fragments: [(fragment: OpenFragment, session: ProducerSession)]
    }

    /// A pass takes no more than so many fragments, so that acknowledgements are not held up.
    private static let fragmentsPerPass = 64

    /// A fragment has ended; it is made durable once those before it are.
    func fragmentEnded() {
        scheduleCommit()
    }

    /// Starts a commit run unless one is on its way.
    ///
    /// At durability `interval` it begins after that time, so that syncs are fewer; a stream that is
    /// being closed does not wait.
    func scheduleCommit() {
        let (isDue, timer) = state.withLock { state -> (Bool, (count: UInt64, delay: Int64)?) in
            var delay: Int64 = 0
            if case .interval(let milliseconds) = state.document.info.settings.durability,
                state.closed == nil
            {
                delay = milliseconds
            }
            switch state.commitRun {
            case .running: return (false, nil)
            case .waiting: if delay > 0 { return (false, nil) }
            case .idle: break
            }
            guard delay > 0 else {
                state.commitRun = .running
                return (true, nil)
            }
            state.commitTimers += 1
            state.commitRun = .waiting(timer: state.commitTimers)
            return (false, (state.commitTimers, delay))
        }
        if isDue { log.commitPool.submit { self.runCommits() } }
        if let timer {
            log.schedule(afterMilliseconds: timer.delay) { self.commitTimerFired(timer.count) }
        }
    }

    private func commitTimerFired(_ timer: UInt64) {
        let isDue = state.withLock { state -> Bool in
            guard state.commitRun == .waiting(timer: timer) else { return false }
            state.commitRun = .running
            return true
        }
        if isDue { log.commitPool.submit { self.runCommits() } }
    }

    private func runCommits() {
        while let work = takeWork() {
            let settled = commit.withLock { perform(work, &$0) }
            for settle in settled { settle() }
        }
    }

    private func takeWork() -> CommitWork? {
        state.withLock { state in
            var work = CommitWork(events: [], fragments: [])
            for entry in state.open.prefix(Self.fragmentsPerPass) {
                guard entry.fragment.isEnded else { break }
                work.fragments.append(entry)
            }
            if state.pendingEvents.isEmpty, work.fragments.isEmpty {
                state.commitRun = .idle
                return nil
            }
            work.events = state.deferredEvents + state.pendingEvents
            state.deferredEvents = []
            state.pendingEvents = []
            return work
        }
    }

    private func perform(_ work: CommitWork, _ commit: inout CommitState) -> [@Sendable () -> Void]
    {
        var settled = work.events.compactMap(\.completion)
        closeRows(&commit)
        do throws(LogError) {
            try settleDocument()
            try appendEvents(work.events.compactMap(\.event), &commit)
        } catch {
            deferEvents(work.events.compactMap(\.event), error)
            // No fragment may be durable before its session's opening is.
            return settled + refuse(work.fragments, error)
        }
        let byteCount = work.fragments.reduce(0) { $0 + $1.fragment.childrenLength }
        if byteCount > 0, let failure = log.roomFailure(adding: UInt64(byteCount)) {
            return settled + refuse(work.fragments, failure)
        }
        settled += append(work.fragments, &commit)
        if isIdleAmongMany { seal(&commit) }
        return settled
    }

    /// Whether the stream should not keep two files open for a producer that may never come back.
    private var isIdleAmongMany: Bool {
        log.openSegmentCount.load(ordering: .relaxed) > log.sessionsMax / 2
            && state.withLock { $0.sessionCount == 0 && $0.open.isEmpty }
    }

    private func refuse(
        _ fragments: [(fragment: OpenFragment, session: ProducerSession)],
        _ error: LogError
    ) -> [@Sendable () -> Void] {
        for (fragment, _) in fragments { commitFailed(fragment, error) }
        return settle(fragments.map { ($0.fragment, $0.session, .failure(error)) }, nil)
    }

    private func append(
        _ fragments: [(fragment: OpenFragment, session: ProducerSession)],
        _ commit: inout CommitState
    ) -> [@Sendable () -> Void] {
        var settled: [@Sendable () -> Void] = []
        var batch = Batch()
        for (fragment, session) in fragments {
            if fragment.isEmpty {
                settled += settle([(fragment, session, .failure(emptyFragment(fragment)))], nil)
                continue
            }
            do throws(LogError) {
                if needsRoll(fragment, commit.segment, batch) {
                    settled += flush(&batch, &commit)
                    seal(&commit)
                }
                let segment =
                    if let known = commit.segment { known } else {
                        try createSegment(for: fragment, &commit)
                    }
                let offset = batch.end ?? segment.length
                guard
                    let bytes = try StoredBytes(
                        fragment,
                        segment: segment.id,
                        ordinal: commit.nextOrdinal,
                        offset: offset
                    )
                else {
                    settled += settle([(fragment, session, .failure(emptyFragment(fragment)))], nil)
                    continue
                }
                commit.nextOrdinal += 1
                batch.entries.append((fragment, session, bytes))
            } catch {
                settled += refuse([(fragment, session)], error)
            }
        }
        settled += flush(&batch, &commit)
        return settled
    }

    /// Fragments that are to be appended together.
    private struct Batch {
        typealias Entry = (fragment: OpenFragment, session: ProducerSession, bytes: StoredBytes)

        var entries: [Entry] = []

        var first: FragmentRecord? { entries.first?.bytes.record }
        var last: FragmentRecord? { entries.last?.bytes.record }
        /// Where the next one goes; `nil` behind what the segment holds.
        var end: UInt64? { last.map { $0.offset + $0.storedLength } }
    }

    private func emptyFragment(_ fragment: OpenFragment) -> LogError {
        fragment.content.withLock { $0.interruption }
            ?? LogError(
                .invalidArgument,
                "Fragment \(fragment.number) ended without a whole sample."
            )
    }

    private func needsRoll(
        _ fragment: OpenFragment,
        _ segment: (any SegmentAppender)?,
        _ batch: Batch
    )
        -> Bool
    {
        guard
            let state = segment?.rollState(
                firstPending: batch.first,
                pending: batch.last
            )
        else {
            // An empty segment is named after a fragment that was not stored in the end, and the
            // catalog knows it by that one's times.
            return segment.map { $0.id.first != fragment.number } ?? false
        }
        return SegmentRoll.reason(
            state,
            next: fragment.opening.header,
            producer: fragment.opening.producer,
            server: fragment.server,
            limits: log.configuration.roll,
            isRing: isRing
        ) != nil
    }

    private var isSynced: Bool { state.withLock { $0.document.syncsFragments } }

    private func createSegment(
        for fragment: OpenFragment,
        _ commit: inout CommitState
    ) throws(LogError) -> any SegmentAppender {
        guard commit.unclosed.allSatisfy({ $0.durableLength == nil }) else {
            // Its fragments that failed gave their ordinals back. A start that does not know of the
            // failure could list them all the same, so that is recorded before others get these.
            throw LogError(
                .ioError,
                "A log segment of stream '\(name)' ended with a failed sync that could not be recorded; nothing is stored before that works."
            )
        }
        let segment = try log.segments.create(
            SegmentID(stream: id, first: fragment.number),
            header: fragment.opening.header,
            firstOrdinal: commit.nextOrdinal
        )
        do throws(LogError) {
            try log.rows.insert(
                segment,
                producer: fragment.opening.producer,
                server: fragment.server,
                epoch: epoch
            )
        } catch {
            try? log.segments.delete([segment.id])
            throw error
        }
        commit.segment = segment
        log.openSegmentCount.add(1, ordering: .relaxed)
        return segment
    }

    /// Appends what was gathered and publishes it.
    private func flush(_ batch: inout Batch, _ commit: inout CommitState) -> [@Sendable () -> Void]
    {
        let entries = batch.entries
        batch.entries = []
        guard !entries.isEmpty, var segment = commit.segment else { return [] }
        let outcome = segment.append(entries.map(\.bytes), isSynced: isSynced)
        commit.segment = segment
        let failed = entries.dropFirst(outcome.records.count)
        commit.nextOrdinal -= UInt64(failed.count)
        let published = segment.firstRecord.flatMap { first in
            segment.lastRecord.map {
                PublishedSegment(
                    id: segment.id,
                    count: segment.count,
                    firstRecord: first,
                    lastRecord: $0
                )
            }
        }
        var settled = settle(
            zip(entries, outcome.records).map { ($0.fragment, $0.session, .success($1)) },
            outcome.records.isEmpty ? nil : published
        )
        if outcome.isSuspect { abandonSuspect(segment, &commit) }
        if let failure = outcome.failure {
            for entry in failed { commitFailed(entry.fragment, failure) }
            settled += settle(failed.map { ($0.fragment, $0.session, .failure(failure)) }, nil)
        }
        return settled
    }

    /// Publishes results; what is returned tells the producers, once no lock is held.
    private func settle(
        _ results: [(OpenFragment, ProducerSession, Result<FragmentRecord, LogError>)],
        _ published: PublishedSegment?
    ) -> [@Sendable () -> Void] {
        state.withLock { state in
            for (fragment, _, result) in results {
                state.open.removeAll { $0.fragment === fragment }
                if case .success(let record) = result { state.head = record }
                state.lastSent = (fragment.session, fragment.lastAppend)
            }
            if let published { state.active = published }
        }
        changes.signal()
        return results.map { fragment, session, result in
            { @Sendable in
                switch result {
                case .success(let record): fragment.published(record)
                case .failure(let error): fragment.fail(error)
                }
                session.settled(fragment)
            }
        }
    }

    // MARK: Failures

    private func commitFailed(_ fragment: OpenFragment, _ error: LogError) {
        let opening = fragment.opening
        let reason: GapReason = error.code == .diskFull ? .diskFull : .ioError
        let (samples, bytes, duration) = fragment.content.withLock {
            ($0.samples.count, $0.length, $0.closing?.durationMilliseconds ?? 0)
        }
        log.logger.error(
            "a fragment could not be stored",
            metadata: [
                "stream.name": "\(name)", "fragment.number": "\(fragment.number)",
                "error": "\(error)",
            ]
        )
        record(
            Gap(
                start: opening.producer,
                end: opening.producer.advanced(byMilliseconds: Int64(duration)),
                clock: .producer,
                reason: reason,
                session: fragment.session,
                sampleCount: UInt64(samples),
                byteCount: UInt64(bytes)
            )
        )
    }
}

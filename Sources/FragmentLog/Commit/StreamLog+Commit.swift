import Synchronization
import Logging
import Glibc
import Matroska
import MediaModel
import NIOCore

/// What only the commit run of a stream touches.
struct CommitState {
    /// The ordinal of the next fragment that is stored.
    var nextOrdinal: UInt64
    /// Bytes of `events.log` that hold intact events.
    var eventsLength: UInt64
    var segment: SegmentWriter?

    init(nextOrdinal: UInt64, eventsLength: UInt64) {
        self.nextOrdinal = nextOrdinal
        self.eventsLength = eventsLength
    }
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
    func scheduleCommit() {
        let delay = state.withLock { state -> Int64? in
            if state.isCommitScheduled { return nil }
            state.isCommitScheduled = true
            if case .interval(let milliseconds) = state.document.info.settings.durability {
                return milliseconds
            }
            return 0
        }
        guard let delay else { return }
        if delay == 0 {
            log.commitPool.submit { self.runCommits() }
        } else {
            log.schedule(afterMilliseconds: delay) {
                self.log.commitPool.submit { self.runCommits() }
            }
        }
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
                state.isCommitScheduled = false
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
        do throws(LogError) {
            try appendEvents(work.events, &commit)
        } catch {
            // No fragment may be durable before its session's opening is.
            for (fragment, session) in work.fragments {
                settled += settle([(fragment, session, .failure(error))], nil)
                commitFailed(fragment, error)
            }
            return settled
        }
        var batch = Batch()
        for (fragment, session) in work.fragments {
            if case .failed = fragment.content.withLock({ $0.state }) {
                settled += settle([(fragment, session, .failure(emptyFragment(fragment)))], nil)
                continue
            }
            do throws(LogError) {
                if needsRoll(fragment, commit.segment, batch) {
                    settled += flush(&batch, &commit)
                    try seal(&commit)
                }
                if commit.segment == nil { try createSegment(for: fragment, &commit) }
                guard let segment = commit.segment else { continue }
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
                do throws(LogError) {
                    try bytes.write(to: segment.media)
                } catch {
                    settled += flush(&batch, &commit)
                    writeFailed(error, &commit)
                    throw error
                }
                commit.nextOrdinal += 1
                batch.entries.append((fragment, session, bytes.record))
            } catch {
                settled += settle([(fragment, session, .failure(error))], nil)
                commitFailed(fragment, error)
            }
        }
        settled += flush(&batch, &commit)
        return settled
    }

    /// Fragments written to the `.mkv` and not yet synced.
    private struct Batch {
        var entries: [(fragment: OpenFragment, session: ProducerSession, record: FragmentRecord)] =
            []

        var end: UInt64? { entries.last.map { $0.record.offset + $0.record.storedLength } }
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
        _ segment: SegmentWriter?,
        _ batch: Batch
    )
        -> Bool
    {
        guard let state = segment?.rollState(pending: batch.entries.last?.record) else {
            // An empty segment of another header cannot take the fragment either.
            return segment.map { $0.header != fragment.opening.header } ?? false
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

    private var isSynced: Bool {
        let settings = info.settings
        return settings.retentionHours > 0 && settings.durability != .none
    }

    private func createSegment(
        for fragment: OpenFragment,
        _ commit: inout CommitState
    )
        throws(LogError)
    {
        let segment = try SegmentWriter.create(
            SegmentID(stream: id, first: fragment.number),
            in: directory,
            header: fragment.opening.header,
            firstOrdinal: commit.nextOrdinal,
            isDurable: true
        )
        do throws(LogError) {
            try log.rows.insert(
                segment,
                producer: fragment.opening.producer,
                server: fragment.server,
                epoch: epoch
            )
        } catch {
            try? Directory.unlink(segment.media.path)
            try? Directory.unlink(segment.index.path)
            throw error
        }
        commit.segment = segment
    }

    /// Syncs what was written, writes its records and publishes it.
    private func flush(_ batch: inout Batch, _ commit: inout CommitState) -> [@Sendable () -> Void]
    {
        let entries = batch.entries
        batch.entries = []
        guard !entries.isEmpty, var segment = commit.segment else { return [] }
        do throws(LogError) {
            if isSynced { try segment.media.syncData() }
        } catch {
            // What of the file is on the disk cannot be told any more, beyond what was synced.
            commit.nextOrdinal -= UInt64(entries.count)
            abandonSuspect(segment, &commit)
            return fail(entries, error)
        }
        let records: [FragmentRecord]
        do throws(LogError) {
            records = try segment.append(entries.map(\.record))
        } catch {
            commit.nextOrdinal -= UInt64(entries.count)
            cutBack(segment, &commit)
            return fail(entries, error)
        }
        commit.segment = segment
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
        return settle(
            zip(entries, records).map { ($0.fragment, $0.session, .success($1)) },
            published
        )
    }

    private func fail(
        _ entries: [(fragment: OpenFragment, session: ProducerSession, record: FragmentRecord)],
        _ error: LogError
    ) -> [@Sendable () -> Void] {
        for entry in entries { commitFailed(entry.fragment, error) }
        return settle(entries.map { ($0.fragment, $0.session, .failure(error)) }, nil)
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
        log.commitFailed(error)
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

    private func writeFailed(_ error: LogError, _ commit: inout CommitState) {
        guard let segment = commit.segment else { return }
        if error.code == .diskFull {
            cutBack(segment, &commit)
        } else {
            abandonSuspect(segment, &commit)
        }
    }

    /// Takes back what a full disk left half-written; the segment goes on when that works.
    private func cutBack(_ segment: SegmentWriter, _ commit: inout CommitState) {
        do throws(LogError) {
            try segment.media.truncate(to: segment.length)
            try segment.index.truncate(
                to: UInt64((segment.count + 1) * IndexFile.recordLength)
            )
        } catch {
            abandonSuspect(segment, &commit)
        }
    }

    /// Closes a segment whose file can no longer be trusted beyond what was synced.
    private func abandonSuspect(_ segment: SegmentWriter, _ commit: inout CommitState) {
        commit.segment = nil
        let metadata = "\(segment.id)"
        do throws(LogError) {
            if segment.count == 0 {
                // Nothing in it was ever promised to anybody.
                try log.rows.markDeleting([segment.id.first], of: id, epoch: epoch)
                try log.removeSegments([segment.id.first], of: id, in: directory, epoch: epoch)
                return
            }
            try updateDocument { document in
                document.suspectSegments[segment.id.first] = segment.length
            }
            try log.rows.markSuspect(
                segment.id,
                durableLength: segment.length,
                extent: segment.extent,
                epoch: epoch
            )
        } catch {
            log.logger.error(
                "a suspect log segment could not be recorded as such",
                metadata: ["segment": "\(metadata)", "error": "\(error)"]
            )
        }
        do throws(LogError) {
            try segment.media.truncate(to: segment.length)
        } catch {
            log.logger.error(
                "a suspect log segment could not be cut",
                metadata: ["segment": "\(metadata)", "error": "\(error)"]
            )
        }
    }

    /// Ends the segment under construction: sync both files, then the catalog row.
    func seal(_ commit: inout CommitState) throws(LogError) {
        guard let segment = commit.segment else { return }
        commit.segment = nil
        do throws(LogError) {
            if !isRing {
                try segment.media.syncData()
                try segment.index.syncData()
            }
        } catch {
            abandonSuspect(segment, &commit)
            return
        }
        try log.rows.seal(segment, epoch: epoch)
        state.withLock { state in
            if state.active?.id == segment.id { state.active = nil }
        }
    }

    // MARK: Events

    /// How many events wait in memory while they cannot be written.
    private static let deferredEventsMax = 10_000

    private func appendEvents(
        _ events: [PendingEvent],
        _ commit: inout CommitState
    )
        throws(LogError)
    {
        guard !events.isEmpty else { return }
        let length: UInt64
        do throws(LogError) {
            var bytes = ByteBuffer()
            for pending in events {
                bytes.writeImmutableBuffer(try EventsFile.encode(pending.event))
            }
            // Opened for each write: sessions are rare, and streams may be many. After a failure
            // the next attempt writes at the same place.
            let path = "\(directory)/\(StreamFiles.events)"
            let isNew = !Directory.exists(path)
            let file = try OpenFile.open(path, O_RDWR | O_CREAT)
            if isNew { try Directory.sync(directory) }
            try file.write([bytes], at: commit.eventsLength)
            try file.syncData()
            length = UInt64(bytes.readableBytes)
            commit.eventsLength += length
        } catch {
            state.withLock { state in
                let kept = events.map { PendingEvent(event: $0.event, completion: nil) }
                state.deferredEvents = Array(
                    (kept + state.deferredEvents).suffix(Self.deferredEventsMax)
                )
            }
            log.logger.error(
                "events of a stream could not be stored",
                metadata: [
                    "stream.name": "\(name)", "events": "\(events.count)", "error": "\(error)",
                ]
            )
            throw error
        }
        do throws(LogError) {
            try log.rows.record(
                events.map(\.event),
                of: id,
                from: commit.eventsLength - length,
                upTo: commit.eventsLength,
                epoch: epoch
            )
        } catch {
            // The file has them; the catalog takes them from there at the next start.
            log.logger.error(
                "events of a stream are missing from the catalog",
                metadata: ["stream.name": "\(name)", "error": "\(error)"]
            )
        }
    }

    /// Tries once more to write events that could not be written, as after a full disk.
    func retryDeferredEvents() {
        let isDue = state.withLock { state -> Bool in
            guard !state.deferredEvents.isEmpty else { return false }
            state.pendingEvents = state.deferredEvents + state.pendingEvents
            state.deferredEvents = []
            return true
        }
        if isDue { scheduleCommit() }
    }
}

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
    var segment: SegmentWriter?
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
        closeRows(&commit)
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
            if fragment.isEmpty {
                settled += settle([(fragment, session, .failure(emptyFragment(fragment)))], nil)
                continue
            }
            do throws(LogError) {
                if needsRoll(fragment, commit.segment, batch) {
                    settled += flush(&batch, &commit)
                    seal(&commit)
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
        guard
            let state = segment?.rollState(
                firstPending: batch.entries.first?.record,
                pending: batch.entries.last?.record
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
            // A record may be in the file although the call failed. What is appended next would lie
            // where it points, so the segment ends here, before these fragments.
            commit.nextOrdinal -= UInt64(entries.count)
            abandonSuspect(segment, &commit)
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

    /// Closes a segment whose `.mkv` can no longer be trusted beyond what was synced.
    private func abandonSuspect(_ segment: SegmentWriter, _ commit: inout CommitState) {
        var isIndexDurable = true
        do throws(LogError) {
            try segment.index.syncData()
        } catch {
            isIndexDurable = false
        }
        close(segment, durableLength: segment.length, isIndexDurable: isIndexDurable, &commit)
        do throws(LogError) {
            try segment.media.truncate(to: segment.length)
        } catch {
            log.logger.error(
                "a suspect log segment could not be cut",
                metadata: ["segment": "\(segment.id)", "error": "\(error)"]
            )
        }
    }

    /// Ends the segment under construction: sync both files, then the catalog row.
    func seal(_ commit: inout CommitState) {
        guard let segment = commit.segment else { return }
        var isDurable = true
        do throws(LogError) {
            if segment.count > 0 {
                try segment.media.syncData()
                try segment.index.syncData()
            }
        } catch {
            isDurable = false
            log.logger.error(
                "a log segment could not be closed; the next start does it",
                metadata: ["segment": "\(segment.id)", "error": "\(error)"]
            )
        }
        close(segment, durableLength: nil, isIndexDurable: isDurable, &commit)
    }

    private func close(
        _ segment: SegmentWriter,
        durableLength: UInt64?,
        isIndexDurable: Bool,
        _ commit: inout CommitState
    ) {
        commit.segment = nil
        guard let extent = segment.extent else {
            discard(segment)
            return
        }
        commit.unclosed.append(
            ClosedSegment(
                id: segment.id,
                extent: extent,
                durableLength: durableLength,
                isIndexDurable: isIndexDurable
            )
        )
        state.withLock { state in
            // Until its row says how much it holds, readers are told here.
            state.closing[segment.id] = segment.count
            if state.active?.id == segment.id { state.active = nil }
        }
        closeRows(&commit)
    }

    /// Removes a segment in which nothing was ever promised to anybody.
    private func discard(_ segment: SegmentWriter) {
        do throws(LogError) {
            try log.rows.markDeleting([segment.id.first], of: id, epoch: epoch)
            try log.removeSegments([segment.id.first], of: id, in: directory, epoch: epoch)
        } catch {
            log.logger.warning(
                "an empty log segment is left to the next start",
                metadata: ["segment": "\(segment.id)", "error": "\(error)"]
            )
        }
    }

    /// Tells the catalog of segments that are complete; what fails is tried again with the next
    /// commit and the next sweep, and by the next start at the latest.
    func closeRows(_ commit: inout CommitState) {
        while let segment = commit.unclosed.first {
            do throws(LogError) {
                try closeRow(segment)
            } catch {
                log.logger.error(
                    "the end of a log segment could not be recorded",
                    metadata: ["segment": "\(segment.id)", "error": "\(error)"]
                )
                return
            }
            commit.unclosed.removeFirst()
            guard segment.isIndexDurable else { continue }
            state.withLock { _ = $0.closing.removeValue(forKey: segment.id) }
        }
    }

    private func closeRow(_ segment: ClosedSegment) throws(LogError) {
        if let length = segment.durableLength {
            try updateDocument { $0.suspectSegments[segment.id.first] = length }
        }
        guard segment.isIndexDurable else { return }
        do throws(LogError) {
            if let length = segment.durableLength {
                try log.rows.markSuspect(
                    segment.id,
                    durableLength: length,
                    extent: segment.extent,
                    epoch: epoch
                )
            } else {
                try log.rows.seal(segment.id, extent: segment.extent, epoch: epoch)
            }
        } catch {
            // A commit that failed may have come through all the same.
            let row = try log.rows.segment(of: id, containing: segment.id.first)
            guard row?.first == segment.id.first, row?.extent == segment.extent else { throw error }
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
        let start = commit.eventsLength
        do throws(LogError) {
            try settleDocument()
            if events.isEmpty { return }
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
            commit.eventsLength += UInt64(bytes.readableBytes)
        } catch {
            if events.isEmpty { throw error }
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
        recordEvents(events.map(\.event), from: start, &commit)
    }

    /// Takes events into the catalog that are in the file already.
    ///
    /// What fails is tried again, from the file, with the next events and the next sweep.
    private func recordEvents(
        _ events: [StreamEvent],
        from start: UInt64,
        _ commit: inout CommitState
    ) {
        do throws(LogError) {
            if commit.eventsRecorded < start {
                try recordFromFile(&commit)
                return
            }
            try log.rows.record(
                events,
                of: id,
                from: commit.eventsRecorded,
                upTo: commit.eventsLength,
                epoch: epoch
            )
            commit.eventsRecorded = commit.eventsLength
        } catch {
            log.logger.error(
                "events of a stream are missing from the catalog",
                metadata: ["stream.name": "\(name)", "error": "\(error)"]
            )
        }
    }

    private func recordFromFile(_ commit: inout CommitState) throws(LogError) {
        // The catalog may have taken in more than it could say.
        commit.eventsRecorded = try log.rows.eventsOffset(of: id)
        let file = try OpenFile.open("\(directory)/\(StreamFiles.events)", O_RDONLY)
        while commit.eventsRecorded < commit.eventsLength {
            let rest = commit.eventsLength - commit.eventsRecorded
            let bytes = try file.read(at: commit.eventsRecorded, length: Int(min(rest, 4 << 20)))
            let (events, length) = EventsFile.decode(bytes)
            guard length > 0 else {
                throw LogError(
                    .damaged,
                    "\(file.path) is damaged at byte \(commit.eventsRecorded); run 'kinelog verify --repair'."
                )
            }
            let end = commit.eventsRecorded + UInt64(length)
            try log.rows.record(
                events,
                of: id,
                from: commit.eventsRecorded,
                upTo: end,
                epoch: epoch
            )
            commit.eventsRecorded = end
        }
    }

    /// Brings the catalog up to what the files say, as after a full disk.
    ///
    /// Blocks.
    func catchUp() {
        commit.withLock { commit in
            closeRows(&commit)
            if commit.eventsRecorded < commit.eventsLength {
                recordEvents([], from: commit.eventsLength, &commit)
            }
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

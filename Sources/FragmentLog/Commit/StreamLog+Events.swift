import Glibc
import Logging
import MediaModel
import NIOCore
import Synchronization

/// How sessions and gaps get into `events.log`, and from there into the catalog.
extension StreamLog {
    /// How many events wait in memory while they cannot be written.
    private static let deferredEventsMax = 10_000

    func appendEvents(
        _ events: [StreamEvent],
        _ commit: inout CommitState
    )
        throws(LogError)
    {
        guard !events.isEmpty else { return }
        let start = commit.eventsLength
        var bytes = ByteBuffer()
        for event in events { bytes.writeImmutableBuffer(try EventsFile.encode(event)) }
        // Opened for each write: sessions are rare, and streams may be many. After a failure the next
        // attempt writes at the same place.
        let path = "\(directory)/\(StreamFiles.events)"
        let file = try OpenFile.open(path, O_RDWR | O_CREAT)
        // Until the first event is in it: whether its name reached the disk before is not known.
        if commit.eventsLength == 0 { try Directory.sync(directory) }
        try file.write([bytes], at: commit.eventsLength)
        try file.syncData()
        commit.eventsLength += UInt64(bytes.readableBytes)
        recordEvents(events, from: start, &commit)
    }

    /// Keeps events in memory that cannot be written now; their producers do not wait for that.
    func deferEvents(_ events: [StreamEvent], _ error: LogError) {
        guard !events.isEmpty else { return }
        state.withLock { state in
            let kept = events.map { PendingEvent(event: $0, completion: nil) }
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
            guard !state.deferredEvents.isEmpty, !state.isOver, !state.document.isDeleted else {
                return false
            }
            state.pendingEvents = state.deferredEvents + state.pendingEvents
            state.deferredEvents = []
            return true
        }
        if isDue { scheduleCommit() }
    }
}

import Synchronization
import Logging
import Catalog
import MediaModel

/// Expiry by age, in whole log segments: mark → unlink → sync the directory → remove the row.
extension FragmentLog {
    /// Segments that are marked and unlinked together.
    private static let segmentsPerStep = 64

    /// What starts a reason for which expiry goes on by itself once the clock is trusted again.
    private static let clockReason = "clock:"

    func sweepUntilCancelled() async {
        while !Task.isCancelled {
            await sweep()
            try? await Task.sleep(for: .milliseconds(configuration.sweepMilliseconds))
        }
    }

    /// Looks once at the clock and at every stream.
    package func sweep() async {
        // Expiry goes by this one reading: a later one may have been stepped unseen.
        let now = await watchClock()
        let marked = await takeUpDeletions()
        for stream in streams() {
            if Task.isCancelled { return }
            stream.retryDeferredEvents()
            do throws(LogError) {
                try await commitPool.run { () throws(LogError) in
                    stream.recoverLeftSegments()
                    stream.catchUp()
                    stream.sealIfIdle()
                    if let marked = marked[stream.id] { self.removeAgain(marked, of: stream) }
                    try self.expire(stream, now)
                }
            } catch {
                logger.error(
                    "retention failed",
                    metadata: ["stream.name": "\(stream.name)", "error": "\(error)"]
                )
            }
        }
    }

    /// Tries once more to remove what is marked; what still stays must not keep others from expiring.
    private func removeAgain(_ marked: [FragmentNumber], of stream: StreamLog) {
        do throws(LogError) {
            try removeSegments(marked, of: stream.id, epoch: stream.epoch)
        } catch {
            logger.error(
                "log segments that are marked could not be removed",
                metadata: ["stream.name": "\(stream.name)", "error": "\(error)"]
            )
        }
    }

    /// Goes on with deletions that failed half-way.
    ///
    /// - Returns: Log segments that are marked and still there.
    private func takeUpDeletions() async -> [StreamID: [FragmentNumber]] {
        do throws(LogError) {
            return try await commitPool.run { () throws(LogError) in
                self.removeDeletedStreams()
                return Dictionary(grouping: try self.rows.deletingSegments(), by: \.stream)
                    .mapValues { $0.map(\.first) }
            }
        } catch {
            logger.error("deletions could not be looked up", metadata: ["error": "\(error)"])
            return [:]
        }
    }

    // MARK: Clocks

    /// Looks at the clock before anything may expire by it.
    func distrustClockAtStart() async {
        let wall = await watchClock()
        for stream in streams() {
            let info = stream.info
            guard info.settings.retentionHours > 0, info.retentionPaused == nil,
                let head = stream.head,
                let doubt = ClockTrust.doubt(
                    wall: wall,
                    newest: head.server,
                    retentionHours: info.settings.retentionHours
                )
            else { continue }
            await pauseRetention(of: stream, doubt)
        }
    }

    /// - Returns: What the wall clock showed.
    private func watchClock() async -> Timestamp {
        let (wall, boot) = (clock.now(), clock.bootMilliseconds())
        let (jump, isTrusted) = state.withLock { state in
            (
                state.trust.observe(wall: wall, bootMilliseconds: boot),
                state.trust.isTrusted(atBootMilliseconds: boot)
            )
        }
        if let jump {
            for stream in streams() where stream.info.settings.retentionHours > 0 {
                await pauseRetention(
                    of: stream,
                    "\(Self.clockReason) it jumped by \(jump / 1000) s to \(wall) while the server ran"
                )
            }
        } else if isTrusted {
            for stream in streams()
            where stream.info.retentionPaused?.hasPrefix(Self.clockReason) == true {
                await setRetentionPaused(nil, of: stream)
            }
        }
        for stream in streams() where stream.info.retentionPaused == nil {
            // A pause that could not be stored, as on a full disk.
            if let reason = stream.state.withLock({ $0.unstoredPause }) {
                await setRetentionPaused(reason, of: stream)
            }
        }
        return wall
    }

    private func pauseRetention(of stream: StreamLog, _ reason: String) async {
        guard stream.info.retentionPaused == nil else { return }
        logger.error(
            "expiry by age is paused until the clock has agreed with itself for 24 h or an operator resumes it",
            metadata: ["stream.name": "\(stream.name)", "reason": "\(reason)"]
        )
        await setRetentionPaused(reason, of: stream)
    }

    private func setRetentionPaused(_ reason: String?, of stream: StreamLog) async {
        // In force at once, whether or not it can be stored.
        if let reason { stream.state.withLock { $0.unstoredPause = reason } }
        do throws(LogError) {
            try await commitPool.run { () throws(LogError) in
                try stream.updateDocument { $0.info.retentionPaused = reason }
            }
            stream.state.withLock { $0.unstoredPause = nil }
        } catch {
            logger.error(
                "the pause of expiry could not be stored",
                metadata: ["stream.name": "\(stream.name)", "error": "\(error)"]
            )
        }
    }

    /// Lets expiry by age go on, on the operator's word.
    ///
    /// - Throws: `.ioError`, `.diskFull`.
    package func resumeRetention(of stream: StreamLog) async throws(LogError) {
        try await commitPool.run { () throws(LogError) in
            try stream.updateDocument { $0.info.retentionPaused = nil }
        }
        stream.state.withLock { $0.unstoredPause = nil }
        logger.notice("expiry resumed", metadata: ["stream.name": "\(stream.name)"])
    }

    // MARK: Expiry

    private func expire(_ stream: StreamLog, _ now: Timestamp) throws(LogError) {
        let info = stream.info
        if info.settings.retentionHours == 0 {
            try expireRing(stream, now)
            return
        }
        let isPaused =
            info.retentionPaused != nil || stream.state.withLock { $0.unstoredPause != nil }
        if isPaused { return }
        let cutoff = now.advanced(
            byMilliseconds: -Int64(info.settings.retentionHours) * 3_600_000
        )
        // Those under a hold stay at the front for as long as it lasts, so the look has to go past
        // them.
        var limit = Self.segmentsPerStep
        while true {
            let rows = try rows.expiredSegments(
                of: stream.id,
                serverEndBefore: cutoff,
                limit: limit
            )
            let free = rows.filter { !isHeld($0, stream) }
            if !free.isEmpty { try remove(Array(free.prefix(Self.segmentsPerStep)), of: stream) }
            if rows.count < limit, free.count <= Self.segmentsPerStep { break }
            if free.isEmpty { limit *= 2 }
        }
        try self.rows.expireEvents(of: stream.id, before: cutoff, epoch: stream.epoch)
    }

    /// The ring of retention 0 keeps what is recent and small.
    ///
    /// What is under a hold is not part of it.
    private func expireRing(_ stream: StreamLog, _ now: Timestamp) throws(LogError) {
        let cutoff = now.advanced(byMilliseconds: -configuration.ringMilliseconds)
        var free: [(row: SegmentRow, extent: SegmentExtent)] = []
        var after: FragmentNumber?
        while true {
            let page = try rows.segments(of: stream.id, after: after, limit: Self.segmentsPerStep)
            for row in page {
                // The one under construction goes on.
                guard let extent = row.extent, !isHeld(row, stream) else { continue }
                free.append((row, extent))
            }
            after = page.last?.first
            if page.count < Self.segmentsPerStep { break }
        }
        var bytes = free.reduce(Int64(0)) { $0 + Int64(clamping: $1.extent.byteCount) }
        var expired: [SegmentRow] = []
        for (row, extent) in free where extent.serverEnd < cutoff || bytes > configuration.ringBytes
        {
            expired.append(row)
            bytes -= Int64(clamping: extent.byteCount)
        }
        while !expired.isEmpty {
            try remove(Array(expired.prefix(Self.segmentsPerStep)), of: stream)
            expired.removeFirst(min(Self.segmentsPerStep, expired.count))
        }
    }

    private func isHeld(_ row: SegmentRow, _ stream: StreamLog) -> Bool {
        guard let extent = row.extent else { return true }
        return stream.state.withLock {
            $0.document.isHeld(from: row.producerStart, to: extent.producerEnd)
        }
    }

    private func remove(_ segments: [SegmentRow], of stream: StreamLog) throws(LogError) {
        // What goes is still counted: an ordinal is never given out twice.
        let ordinalEnd = segments.map { $0.firstOrdinal + ($0.extent?.fragmentCount ?? 0) }.max()
        try stream.updateDocument { document in
            document.ordinalFloor = max(document.ordinalFloor, ordinalEnd ?? 0)
        }
        // Holds are added under the same lock, so that none can come between the look and the mark.
        let first = try stream.documentLock.withLock { _ throws(LogError) -> [FragmentNumber] in
            let first = segments.filter { !isHeld($0, stream) }.map(\.first)
            if !first.isEmpty { try rows.markDeleting(first, of: stream.id, epoch: stream.epoch) }
            return first
        }
        guard !first.isEmpty else { return }
        stream.changes.signal()
        try removeSegments(first, of: stream.id, epoch: stream.epoch)
        try forgetDeletedRanges(stream)
        logger.info(
            "log segments expired",
            metadata: ["stream.name": "\(stream.name)", "segments": "\(first.count)"]
        )
    }

    /// Unlinks segments that are marked, then forgets them.
    ///
    /// Blocks.
    func removeSegments(
        _ first: [FragmentNumber],
        of id: StreamID,
        epoch: UInt64
    ) throws(LogError) {
        let marked = first.map { SegmentID(stream: id, first: $0) }
        try segments.delete(marked)
        for segment in marked { checked.forget(segment) }
        try rows.remove(first, of: id, epoch: epoch)
    }

    /// Drops deleted ranges and suspect lengths whose log segments are gone.
    private func forgetDeletedRanges(_ stream: StreamLog) throws(LogError) {
        let document = stream.state.withLock { $0.document }
        guard !document.deletedRanges.isEmpty || !document.suspectSegments.isEmpty else { return }
        guard let first = try rows.firstSegment(of: stream.id) else { return }
        try stream.updateDocument { document in
            document.deletedRanges.removeAll { $0.upperBound < first.first }
            document.suspectSegments = document.suspectSegments.filter { $0.key >= first.first }
        }
    }

    // MARK: Copies and leftovers

    func copyUntilCancelled() async {
        guard configuration.copyMilliseconds > 0 else { return }
        while !Task.isCancelled {
            do {
                try await rows.copyIfDue(at: clock.now())
            } catch {
                logger.error("the databases could not be copied", metadata: ["error": "\(error)"])
            }
            // Looked at hourly, so that a copy is made soon after the day has changed.
            let pause = min(configuration.copyMilliseconds, 3_600_000)
            try? await Task.sleep(for: .milliseconds(pause))
        }
    }

    /// Removes files of log segments that were being made when the last run ended.
    func tidyOnce() async {
        for stream in streams() {
            if Task.isCancelled { return }
            do throws(LogError) {
                try await commitPool.run { () throws(LogError) in try self.tidy(stream) }
            } catch {
                logger.error(
                    "leftover files could not be removed",
                    metadata: ["stream.name": "\(stream.name)", "error": "\(error)"]
                )
            }
        }
    }

    private func tidy(_ stream: StreamLog) throws(LogError) {
        // Files of this run are younger than the reserved numbers it began with.
        let begin = stream.state.withLock { $0.firstSequence }
        for name in try Directory.names(in: stream.directory) where name.hasSuffix(".part") {
            if let dash = name.lastIndex(of: "-"),
                let sequence = UInt64(name[name.index(after: dash)...].dropLast(5)),
                sequence < begin
            {
                try Directory.unlink("\(stream.directory)/\(name)")
            }
        }
        let marked = Set(
            try rows.deletingSegments().filter { $0.stream == stream.id }.map(\.first)
        )
        for segment in try segments.segments(of: stream.id) where segment.first.sequence < begin {
            let known = try rows.segment(of: stream.id, containing: segment.first)?.first
            guard known != segment.first, !marked.contains(segment.first) else { continue }
            if try segments.holdsFragments(segment) {
                // Not ours to throw away: the catalog must have lost it.
                logger.error(
                    "a log segment is not in the catalog; run 'kinelog verify --repair'",
                    metadata: ["segment": "\(segment)"]
                )
            } else {
                try segments.delete([segment])
            }
        }
    }
}

import Logging
import Catalog
import Glibc
import MediaModel
import NIOCore
import Synchronization

/// What a start does with what the last run left. Only unsealed log segments are looked at, so that
/// the time it takes does not depend on the size of the archive.
extension FragmentLog {
    func recover() async throws(LogError) {
        let open = try rows.openSegments()
        var segments: [StreamID: [SegmentRow]] = [:]
        for row in open { segments[row.stream, default: []].append(row) }
        let names = try Directory.names(in: directory.streams)
        let ids = names.compactMap { StreamID($0) }
        let segmentsOf = segments
        let deletingOf = Dictionary(grouping: try rows.deletingSegments(), by: \.stream)
            .mapValues { $0.map(\.first) }
        // The pool bounds how many of these are at work at once.
        let streams = await withTaskGroup(of: (StreamID, Result<StreamLog?, LogError>).self) {
            group in
            for id in ids {
                group.addTask {
                    do throws(LogError) {
                        let stream = try await self.commitPool.run { () throws(LogError) in
                            try self.recoverStream(
                                id,
                                open: segmentsOf[id] ?? [],
                                deleting: deletingOf[id] ?? []
                            )
                        }
                        return (id, .success(stream))
                    } catch {
                        return (id, .failure(error))
                    }
                }
            }
            var results: [(StreamID, Result<StreamLog?, LogError>)] = []
            for await result in group { results.append(result) }
            return results
        }
        for (id, result) in streams {
            switch result {
            case .success(nil): break
            case .success(let stream?):
                state.withLock { $0.streams[stream.name] = stream }
            case .failure(let error):
                // The others go on; what is wrong with this one is said here, by readiness and by
                // verify.
                logger.error(
                    "a stream could not be opened",
                    metadata: ["stream.id": "\(id)", "error": "\(error)"]
                )
                state.withLock { $0.damaged[id.description] = error }
            }
        }
        let present = Set(ids)
        for row in try rows.streams()
        where row.totals.segmentCount == 0 && !present.contains(row.id) {
            // Its making failed, and so did telling the catalog; the name is free.
            try rows.removeStream(row.id)
        }
        // After the events of all streams are in the catalog.
        for (id, sessions) in Dictionary(grouping: try rows.openSessions(), by: \.stream) {
            let stream = state.withLock { $0.streams.values.first { $0.id == id } }
            if let stream { closeLostSessions(sessions, of: stream) }
        }
        logger.info(
            "log opened",
            metadata: [
                "directory": "\(directory.path)",
                "streams": "\(state.withLock { $0.streams.count })",
                "segments.unsealed": "\(open.count)",
            ]
        )
    }

    /// One stream; `nil` when it was being deleted or made.
    ///
    /// Blocks.
    private func recoverStream(
        _ id: StreamID,
        open: [SegmentRow],
        deleting: [FragmentNumber]
    ) throws(LogError) -> StreamLog? {
        let path = "\(directory.streams)/\(id)"
        let documentPath = "\(path)/\(StreamFiles.document)"
        guard
            let content = try Directory.readFile(documentPath, atMost: StreamDocument.fileBytesMax)
        else {
            // Between making the directory and its document a stream has no footage.
            let left = try Directory.names(in: path).filter { $0 != "\(StreamFiles.document).new" }
            guard left.isEmpty else {
                throw LogError(
                    .damaged,
                    "\(documentPath) is missing beside \(left.count) files; restore it from a backup, or run 'kinelog verify --repair'."
                )
            }
            try Directory.unlink("\(documentPath).new")
            try Directory.remove(path)
            return nil
        }
        var document = try StreamDocument(content, path: documentPath)
        if document.isDeleted {
            try removeFiles(of: id)
            return nil
        }
        try rows.register(id, name: document.info.name, epoch: document.ownerEpoch)
        for name in try spillFiles(in: path, open) { try Directory.unlink("\(path)/\(name)") }
        let eventsLength = try recoverEvents(id, path, document)
        var left: [StreamLog.LeftSegment] = []
        for row in open {
            do throws(LogError) {
                _ = try recoverSegment(row, document)
            } catch {
                // Everything else of the stream is served; what is wrong with this one is said here,
                // by status and by verify.
                logger.error(
                    "a log segment could not be brought into order",
                    metadata: [
                        "stream.name": "\(document.info.name)", "segment": "\(row.first)",
                        "error": "\(error)",
                    ]
                )
                left.append(StreamLog.LeftSegment(row: row, error: error))
            }
        }
        if !deleting.isEmpty {
            do throws(LogError) {
                try removeSegments(deleting, of: id, epoch: document.ownerEpoch)
            } catch {
                // They are invisible; the sweep tries again.
                logger.error(
                    "log segments that were being deleted are still there",
                    metadata: ["stream.name": "\(document.info.name)", "error": "\(error)"]
                )
            }
        }
        var head: FragmentRecord?
        var nextOrdinal = document.ordinalFloor
        for segment in left {
            // How many it holds cannot be told; none of their ordinals is given out again.
            let bound = segments.fragmentCountBound(
                of: SegmentID(stream: id, first: segment.row.first)
            )
            nextOrdinal = max(nextOrdinal, segment.row.firstOrdinal + bound)
        }
        var greatest = left.map(\.row.first.sequence).max() ?? 0
        if let last = try rows.lastClosedSegment(of: id), let extent = last.extent {
            nextOrdinal = max(nextOrdinal, last.firstOrdinal + extent.fragmentCount)
            greatest = max(greatest, extent.last.sequence)
            do throws(LogError) {
                let newest = try newestRecord(
                    SegmentID(stream: id, first: last.first),
                    count: extent.fragmentCount
                )
                // Where a repair could not read a fragment, ordinals are missing before it.
                nextOrdinal = max(nextOrdinal, newest.ordinal + 1)
                head = newest
            } catch {
                logger.error(
                    "the newest fragment of a stream cannot be read",
                    metadata: ["stream.name": "\(document.info.name)", "error": "\(error)"]
                )
                left.append(
                    StreamLog.LeftSegment(
                        row: last,
                        error: LogError(.damaged, error.message, cause: error)
                    )
                )
            }
        }
        if document.sequenceHighWater <= greatest {
            // An older `stream.json` was put back: go on well behind what it does not know.
            document.sequenceHighWater = greatest + 1_000_001
            try Directory.replaceFile(StreamFiles.document, in: path, with: document.encoded())
        }
        let stream = StreamLog(
            document: document,
            directory: path,
            log: self,
            head: head,
            nextOrdinal: nextOrdinal,
            nextSequence: document.sequenceHighWater,
            nextSession: try rows.maxSession(of: id) + 1,
            eventsLength: eventsLength
        )
        stream.state.withLock { $0.left = left }
        return stream
    }

    /// Brings an unsealed log segment into order and tells the catalog.
    ///
    /// Blocks.
    ///
    /// - Returns: Its newest fragment; `nil` when it held none and is gone.
    func recoverSegment(
        _ row: SegmentRow,
        _ document: StreamDocument
    ) throws(LogError) -> FragmentRecord? {
        let id = SegmentID(stream: row.stream, first: row.first)
        let recovered = try segments.recover(
            InterruptedSegment(
                id: id,
                durableLength: document.suspectSegments[row.first],
                trustsSyncs: document.syncsFragments,
                isSameBoot: directory.isSameBoot
            )
        )
        guard let recovered else {
            try rows.markDeleting([row.first], of: row.stream, epoch: document.ownerEpoch)
            try removeSegments([row.first], of: row.stream, epoch: document.ownerEpoch)
            return nil
        }
        try rows.seal(id, extent: recovered.extent, epoch: document.ownerEpoch)
        return recovered.newest
    }

    private func newestRecord(_ id: SegmentID, count: UInt64) throws(LogError) -> FragmentRecord {
        let bytes = try segments.index(of: id)
        let index = SegmentIndex(
            id: id,
            count: try SegmentIndex.checkedCount(count, in: bytes),
            bytes: bytes
        )
        return try index.record(index.count - 1)
    }

    private func spillFiles(in path: String, _ open: [SegmentRow]) throws(LogError) -> [String] {
        // A listing of a long archive takes a while; spill files exist only where a session was
        // open, and then a log segment was too, or is about to be.
        if directory.isSameBoot, open.isEmpty { return [] }
        return try Directory.names(in: path).filter {
            $0.hasPrefix("open-") && $0.hasSuffix(".part")
        }
    }

    /// Takes events into the catalog that it has not seen, and cuts a torn tail.
    private func recoverEvents(
        _ id: StreamID,
        _ path: String,
        _ document: StreamDocument
    )
        throws(LogError) -> UInt64
    {
        let file = "\(path)/\(StreamFiles.events)"
        var offset = try rows.eventsOffset(of: id)
        guard Directory.exists(file) || offset > 0 else { return 0 }
        let events = try? OpenFile.open(file, O_RDWR)
        let size = try events?.size() ?? 0
        guard let events, offset <= size else {
            throw LogError(
                .damaged,
                "\(file) is \(size) bytes long, the catalog has seen \(offset); restore it, or run 'kinelog verify --repair'."
            )
        }
        if offset < size {
            // The catalog must not know more than what a power cut leaves of the file.
            try events.sync()
            try Directory.sync(path)
        }
        while offset < size {
            let bytes = try events.read(at: offset, length: Int(min(size - offset, 4 << 20)))
            let (found, length) = EventsFile.decode(bytes)
            if length == 0 { break }
            offset += UInt64(length)
            try rows.record(
                found,
                of: id,
                from: offset - UInt64(length),
                upTo: offset,
                epoch: document.ownerEpoch
            )
        }
        if offset < size {
            logger.warning(
                "the torn tail of an events log was cut",
                metadata: ["file": "\(file)", "bytes": "\(size - offset)"]
            )
            try events.truncate(to: offset)
            try events.sync()
        }
        return offset
    }

    /// A session that was opened durably and never closed was lost with the process: that is how
    /// the loss of its open fragment is known.
    private func closeLostSessions(_ sessions: [SessionRow], of stream: StreamLog) {
        let now = clock.now()
        for session in sessions {
            let head = stream.head
            let from = head.map { $0.session == session.id ? $0.serverEnd : session.opened }
            let start = min(from ?? session.opened, now)
            stream.state.withLock { state in
                state.pendingEvents.append(
                    StreamLog.PendingEvent(
                        event: .gap(
                            Gap(
                                start: start,
                                end: now,
                                clock: .server,
                                reason: .crash,
                                session: session.id,
                                after: head?.number
                            )
                        ),
                        completion: nil
                    )
                )
                state.pendingEvents.append(
                    StreamLog.PendingEvent(
                        event: .sessionEnd(session: session.id, reason: "crash", at: now),
                        completion: nil
                    )
                )
            }
        }
        stream.scheduleCommit()
    }
}

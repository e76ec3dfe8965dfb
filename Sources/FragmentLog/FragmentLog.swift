import CLinux
import Catalog
package import Logging
package import MediaModel
import NIOCore
import NIOPosix
import Synchronization

/// The log of one data directory: its streams, the threads that commit and read, the memory that
/// open fragments share, and what runs in the background.
package final class FragmentLog: Sendable {
    /// What the log was opened with.
    package let configuration: LogConfiguration
    let logger: Logger
    let clock: any WallClock
    let directory: DataDirectory
    let rows: CatalogRows
    let commitPool: BlockingPool
    let readPool: BlockingPool
    let budget: OpenMemoryBudget
    let segments: any SegmentStore
    let checked = CheckedFragments()
    /// Log segments under construction, of which each holds two files open.
    let openSegmentCount = Atomic(0)
    let headers = HeaderCache()
    /// How the descriptors this process may open are divided.
    package let descriptorBudget: DescriptorBudget
    /// The most sessions at a time, given the descriptors this process may open.
    package var sessionsMax: Int { descriptorBudget.sessions }

    struct State {
        var streams: [StreamName: StreamLog] = [:]
        var names: Set<StreamName> = []
        var damaged: [String: LogError] = [:]
        var sessions = 0
        /// Deleted streams whose files are still there.
        var removals: Set<StreamID> = []
        var overlaps: [ObjectIdentifier: StreamLog] = [:]
        var isClosed = false
        var tasks: [Task<Void, Never>] = []
        var trust = ClockTrust()
    }

    let state = Mutex(State())

    private init(
        _ configuration: LogConfiguration,
        directory: DataDirectory,
        rows: CatalogRows,
        logger: Logger
    ) {
        self.configuration = configuration
        self.directory = directory
        self.rows = rows
        self.logger = logger
        clock = configuration.clock
        commitPool = BlockingPool(threads: configuration.commitThreadCount)
        readPool = BlockingPool(threads: configuration.readThreadCount)
        budget = OpenMemoryBudget(limit: configuration.openFragmentBytesMax)
        descriptorBudget = DescriptorBudget(
            limit: Int(clamping: max(kl_raise_descriptor_limit(), 256)),
            cores: System.coreCount,
            configuration
        )
        segments = LocalSegmentStore(
            streams: directory.streams,
            descriptorsMax: descriptorBudget.cached,
            logger: logger
        )
    }

    /// Opens a data directory, making it when it is missing, and recovers what a crash left.
    ///
    /// - Throws: `.locked`, `.volumeMissing`, `.newerVersion`; `.damaged` naming
    ///   `kinelog verify --repair` when the catalog cannot be used; `.ioError`.
    package static func open(
        _ configuration: LogConfiguration,
        logger: Logger
    )
        async throws(LogError) -> FragmentLog
    {
        let directory = try DataDirectory.open(configuration.directory)
        let rows = try CatalogRows.open(directory)
        if directory.isNew {
            // Only `format` is gone, and the media volume is not mounted.
            guard try rows.streams().isEmpty else { throw DataDirectory.inUse(directory.path) }
            try directory.finishCreation()
        }
        let log = FragmentLog(configuration, directory: directory, rows: rows, logger: logger)
        do throws(LogError) {
            try await log.recover()
            // What could not be looked at is looked at by the next start as after a power cut.
            if log.damagedStreams.isEmpty, log.damagedSegments.isEmpty { try directory.noteBoot() }
            await log.distrustClockAtStart()
        } catch {
            await log.close()
            throw error
        }
        log.startBackground()
        return log
    }

    /// The wall clock as the log sees it.
    package var now: Timestamp { clock.now() }

    /// Ends producers' sessions, waits for commits, seals nothing: the next start does.
    package func close() async {
        let (streams, tasks) = state.withLock { state in
            defer {
                state.isClosed = true
                state.tasks = []
            }
            return (Array(state.streams.values), state.tasks)
        }
        for task in tasks { task.cancel() }
        for task in tasks { await task.value }
        let closing = LogError(.shuttingDown, "The server is shutting down; try again later.")
        for stream in streams { await stream.close(closing) }
        await commitPool.shutDown()
        await readPool.shutDown()
        rows.close()
        // Streams know their log: the circle is opened here.
        state.withLock { $0.streams = [:] }
        directory.unlock()
    }

    // MARK: Streams

    /// The stream of a name; `nil` when there is none.
    package func stream(_ name: StreamName) -> StreamLog? {
        state.withLock { $0.streams[name] }
    }

    /// All streams, sorted by name.
    package func streams() -> [StreamLog] {
        state.withLock { Array($0.streams.values) }.sorted { $0.name < $1.name }
    }

    /// Directories of streams that could not be opened, with the reason.
    package var damagedStreams: [String: LogError] { state.withLock { $0.damaged } }

    /// Log segments that could not be brought into order at start, by stream and first number, with
    /// the reason; nothing of them is served.
    package var damagedSegments: [String: LogError] {
        var found: [String: LogError] = [:]
        for stream in streams() {
            for segment in stream.state.withLock({ $0.left }) {
                found["\(stream.name)/\(segment.row.first)"] = segment.error
            }
        }
        return found
    }

    /// Makes a stream; it is durable and usable when this returns.
    ///
    /// - Throws: `.streamExists`, `.invalidArgument`, `.diskFull`, `.ioError`.
    package func createStream(_ settings: StreamSettings) async throws(LogError) -> StreamLog {
        try settings.validate()
        let name = settings.name
        let isFree = state.withLock { state in
            // Taken from here on, so that two requests cannot both make it.
            !state.isClosed && state.streams[name] == nil && state.names.insert(name).inserted
        }
        guard isFree else {
            throw LogError(
                .streamExists,
                "A stream named '\(name)' exists already; choose another name."
            )
        }
        do {
            let stream = try await commitPool.run { () throws(LogError) in
                try self.makeStream(settings)
            }
            state.withLock { state in
                state.streams[name] = stream
                state.names.remove(name)
            }
            logger.info("stream created", metadata: ["stream.name": "\(name)"])
            return stream
        } catch {
            state.withLock { _ = $0.names.remove(name) }
            throw error
        }
    }

    /// The stream of a name, made with the native defaults when it is missing.
    package func streamCreatingIfMissing(_ name: StreamName) async throws(LogError) -> StreamLog {
        if let stream = stream(name) { return stream }
        var attempts = 0
        while true {
            do {
                return try await createStream(
                    StreamSettings(
                        name: name,
                        retentionHours: configuration.defaultRetentionHours
                    )
                )
            } catch {
                // Somebody else is making it at this moment.
                guard error.code == .streamExists, attempts < 200 else { throw error }
                if let stream = stream(name) { return stream }
                attempts += 1
                try? await Task.sleep(for: .milliseconds(5))
            }
        }
    }

    private func makeStream(_ settings: StreamSettings) throws(LogError) -> StreamLog {
        let id = StreamID.random()
        let path = "\(directory.streams)/\(id)"
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
        var version = ""
        for _ in 0..<20 { version.append(alphabet[Int.random(in: 0..<alphabet.count)]) }
        var document = StreamDocument(
            info: StreamInfo(
                settings: settings,
                id: id,
                created: clock.now(),
                version: version,
                retentionPaused: nil,
                recording: true,
                holds: []
            )
        )
        document.sequenceHighWater += StreamLog.reservationBlock
        do throws(LogError) {
            try Directory.create(path)
            try Directory.replaceFile(StreamFiles.document, in: path, with: document.encoded())
            try Directory.sync(directory.streams)
            try rows.register(id, name: settings.name, epoch: document.ownerEpoch)
        } catch {
            // Nobody was told of it; left behind, it would be a second stream of the name.
            try? Directory.unlink("\(path)/\(StreamFiles.document)")
            try? Directory.unlink("\(path)/\(StreamFiles.document).new")
            try? Directory.remove(path)
            // A commit that failed may have come through all the same.
            try? rows.removeStream(id)
            throw error
        }
        return StreamLog(
            document: document,
            directory: path,
            log: self,
            head: nil,
            nextOrdinal: 0,
            nextSequence: 1,
            nextSession: 1,
            eventsLength: 0
        )
    }

    /// Deletes a stream: its name is free and its footage unreadable when this returns; the files go
    /// afterwards.
    ///
    /// - Throws: `.streamNotFound`, `.streamHeld` when a hold protects footage of it.
    package func deleteStream(_ name: StreamName) async throws(LogError) {
        guard let stream = stream(name) else {
            throw LogError(.streamNotFound, "There is no stream '\(name)' to delete.")
        }
        try await commitPool.run { () throws(LogError) in
            try stream.updateDocument { document throws(LogError) in
                guard document.info.holds.isEmpty else {
                    throw LogError(
                        .streamHeld,
                        "Stream '\(name)' has \(document.info.holds.count) hold(s) and was not deleted; remove them first."
                    )
                }
                document.isDeleted = true
            }
        }
        await stream.close(
            LogError(.streamDeleted, "Stream '\(name)' was deleted while it was in use.")
        )
        // The row holds the name; the footage itself is removed when the name is free again.
        try await commitPool.run { () throws(LogError) in
            try self.rows.removeStream(stream.id)
        }
        state.withLock { state in
            if state.streams[name] === stream { state.streams[name] = nil }
        }
        logger.notice("stream deleted", metadata: ["stream.name": "\(name)"])
        state.withLock { _ = $0.removals.insert(stream.id) }
        commitPool.submit { self.removeDeletedStreams() }
    }

    /// Removes the files of deleted streams; what fails is tried again by the next sweep, and by the
    /// next start.
    ///
    /// Blocks.
    func removeDeletedStreams() {
        // Taken out first: the sweep and a deletion must not both work on one.
        let removals = state.withLock { state in
            defer { state.removals = [] }
            return state.removals
        }
        for id in removals {
            do throws(LogError) {
                try removeFiles(of: id)
            } catch {
                state.withLock { _ = $0.removals.insert(id) }
                // The stream is gone for everybody; only its space is not free yet.
                logger.error(
                    "files of a deleted stream could not be removed yet",
                    metadata: ["stream.id": "\(id)", "error": "\(error)"]
                )
            }
        }
    }

    /// Removes the files of a deleted stream, then its rows.
    ///
    /// Blocks.
    func removeFiles(of id: StreamID) throws(LogError) {
        let path = "\(directory.streams)/\(id)"
        guard Directory.exists(path) else {
            try rows.removeStream(id)
            return
        }
        try segments.delete(segments.segments(of: id))
        // `stream.json` says that the stream is deleted and goes last.
        for name in try Directory.names(in: path) where name != StreamFiles.document {
            try Directory.unlink("\(path)/\(name)")
        }
        try Directory.sync(path)
        try rows.removeStream(id)
        try Directory.unlink("\(path)/\(StreamFiles.document)")
        try Directory.remove(path)
        try Directory.sync(directory.streams)
    }

    // MARK: Sessions

    func admitSession(to stream: StreamLog) throws(LogError) {
        if let failure = beginFailure() { throw failure }
        let isAdmitted = state.withLock { state in
            guard state.sessions < sessionsMax else { return false }
            state.sessions += 1
            return true
        }
        if !isAdmitted {
            throw LogError(
                .tooManySessions,
                "All \(sessionsMax) producer sessions are in use (limited by --max-sessions and by file descriptors); end one or raise the limits."
            )
        }
    }

    func releaseSession() {
        state.withLock { $0.sessions -= 1 }
    }

    /// Producer sessions that are connected now.
    package var sessionCount: Int { state.withLock { $0.sessions } }

    /// Bytes of open fragments held in memory.
    package var openFragmentBytes: Int { budget.used }

    /// Why nothing can begin at this moment, if so.
    func beginFailure() -> LogError? {
        let isClosed = state.withLock { $0.isClosed }
        if isClosed { return LogError(.shuttingDown, "The server is shutting down.") }
        return roomFailure(keeping: configuration.freeBytesMin)
    }

    /// Why fragments that have ended cannot be written, if so.
    ///
    /// They may use half of what is kept free: the other half is for what deletion has to record, so
    /// that expiry can make room again.
    func roomFailure(adding bytes: UInt64) -> LogError? {
        let (kept, overflow) = (configuration.freeBytesMin / 2).addingReportingOverflow(
            Int64(clamping: bytes)
        )
        return roomFailure(keeping: overflow ? .max : kept)
    }

    private func roomFailure(keeping bytes: Int64) -> LogError? {
        guard let free = segments.availableBytes, free < bytes else { return nil }
        return LogError(
            .diskFull,
            "The volume of \(directory.streams) has \(free) bytes left where ingest needs \(bytes); free space, it resumes by itself."
        )
    }

    // MARK: Background

    func startSpilling() {
        commitPool.submit { self.budget.spillLargest() }
    }

    func watchOverlap(of stream: StreamLog) {
        state.withLock { $0.overlaps[ObjectIdentifier(stream)] = stream }
    }

    func schedule(afterMilliseconds delay: Int64, _ work: @escaping @Sendable () -> Void) {
        _ = MultiThreadedEventLoopGroup.singleton.any().scheduleTask(
            in: .milliseconds(delay),
            work
        )
    }

    private func startBackground() {
        let overlap = Task { await self.watchOverlaps() }
        let sweep = Task { await self.sweepUntilCancelled() }
        let copies = Task { await self.copyUntilCancelled() }
        let tidy = Task { await self.tidyOnce() }
        state.withLock { $0.tasks = [overlap, sweep, copies, tidy] }
    }

    /// Ends silent sessions that a newer one has taken over from.
    private func watchOverlaps() async {
        let tick = max(20, min(250, configuration.silentTakeoverMilliseconds / 8))
        while !Task.isCancelled {
            try? await Task.sleep(for: .milliseconds(tick))
            let watched = state.withLock { $0.overlaps }
            for (key, stream) in watched {
                // Removed first: a takeover meanwhile puts it back.
                state.withLock { _ = $0.overlaps.removeValue(forKey: key) }
                if stream.endSilentOverlap() { watchOverlap(of: stream) }
            }
        }
    }
}

package import FragmentLog
import FFmpegMedia
package import Logging
import MediaModel
package import NIOCore
import Synchronization

/// One push over HTTP: a body of TS, Matroska, FLV or MP4 becomes durable fragments.
///
/// The async side puts the body's chunks into a bounded pipe; a thread of its own demuxes, cuts and
/// appends. Samples are visible to followers as soon as they are appended.
package final class PushSession: Sendable {
    /// Every fragment that becomes durable, as it does; ends with ``run(_:)``.
    ///
    /// Empty where the request does not want them.
    ///
    /// At most ``PushLimits/eventsMax`` wait here; an event that finds no room is dropped and
    /// counted, so the producer that does not read them stops nobody.
    package let events: AsyncStream<PushEvent>

    private let stream: StreamLog
    private let session: ProducerSession
    private let request: PushRequest
    private let limits: PushLimits
    private let logger: Logger
    private let eventsEnd: AsyncStream<PushEvent>.Continuation
    private let results: CommitResults

    /// Lets the producer in.
    ///
    /// - Parameters:
    ///   - stream: The stream to push to.
    ///   - request: What the producer says.
    ///   - limits: What the push may use.
    ///   - logger: The request's logger.
    /// - Throws: `.tooManySessions`, `.contention`, `.diskFull`, `.recordingOff`, `.streamDeleted`;
    ///   nothing of the body should be read then.
    package init(
        stream: StreamLog,
        request: PushRequest,
        limits: PushLimits = PushLimits(),
        logger: Logger
    ) throws(IngestError) {
        self.stream = stream
        self.request = request
        self.logger = logger
        var limits = limits
        limits.cutter.minimumMs = min(
            Int64(stream.info.settings.minimumFragmentMilliseconds),
            limits.cutter.maximumMs
        )
        self.limits = limits
        do throws(LogError) {
            session = try stream.openSession(
                SessionRequest(
                    protocolName: request.protocolName,
                    peer: request.peer,
                    clockSource: request.startTimestamp == nil ? .arrival : .start
                )
            )
        } catch {
            throw IngestError(error)
        }
        (events, eventsEnd) = AsyncStream.makeStream(
            of: PushEvent.self,
            bufferingPolicy: .bufferingOldest(limits.eventsMax)
        )
        results = CommitResults(events: request.wantsEvents ? eventsEnd : nil)
        if !request.wantsEvents { eventsEnd.finish() }
    }

    /// Takes the body and returns after all its commits.
    ///
    /// - Parameter body: The request's body; an error it throws is a lost connection. It must end
    ///   when its task is cancelled.
    /// - Returns: What is stored, and why the push ended early if it did.
    package func run<Body: AsyncSequence & Sendable>(_ body: Body) async -> PushOutcome
    where Body.Element == ByteBuffer {
        let (error, isLost) = await receive(body)
        await session.end(error.map { Self.sessionEnd($0, isLost: isLost) } ?? .finished)
        eventsEnd.finish()
        var summary = results.summary
        summary.gaps = session.gaps
        // A commit may have failed after the last look at it.
        let failure = error ?? results.failure.map { IngestError($0) }
        if let failure {
            logger.notice(
                "push ended early",
                metadata: ["error.code": "\(failure.code.rawValue)", "error": "\(failure)"]
            )
        }
        return PushOutcome(summary: summary, error: failure)
    }

    private static func sessionEnd(_ error: IngestError, isLost: Bool) -> SessionEnd {
        isLost ? .disconnected : .failed(error.gapReason)
    }

    /// Moves the body through the pipe.
    private func receive<Body: AsyncSequence & Sendable>(
        _ body: Body
    ) async -> (IngestError?, isLost: Bool) where Body.Element == ByteBuffer {
        let pipe = BytePipe(capacity: limits.pipeBytes)
        let feeder = PushFeeder(pipe: pipe, clock: stream.log.configuration.clock)
        return await withTaskGroup(of: IngestError?.self) { group in
            group.addTask { await feeder.watch(idleMs: self.limits.idleMs) }
            group.addTask { await feeder.workerResult(givesUp: true) }
            group.addTask { await self.feed(body, feeder) }
            // The first to end decides: the body, the worker before it, or the watch when it finds
            // the session idle. The others end with it.
            var error: IngestError?
            if let first = await group.next() { error = first }
            group.cancelAll()
            for await other in group { error = error ?? other }
            return (error, error?.code == .disconnected || error?.code == .idle)
        }
    }

    /// Reads the body into the pipe and waits for the worker.
    private func feed<Body: AsyncSequence>(_ body: Body, _ feeder: PushFeeder) async -> IngestError?
    where Body.Element == ByteBuffer {
        let pipe = feeder.pipe
        var isStarted = false
        var first = ByteBuffer()
        var walk: ContainerWalk?
        do {
            for try await chunk in body {
                feeder.received(chunk)
                if isStarted {
                    try walk?.consume(chunk)
                    try await pipe.write(chunk)
                } else {
                    first.writeImmutableBuffer(chunk)
                    if let format = try decide(first, isComplete: false) {
                        try startWorker(format, feeder)
                        isStarted = true
                        walk = ContainerWalk(format, headerBytesMax: limits.headerBytesMax)
                        try walk?.consume(first)
                        try await pipe.write(first)
                    }
                }
                feeder.waiting()
            }
            if Task.isCancelled { throw CancellationError() }
            if !isStarted {
                guard first.readableBytes > 0 else {
                    throw IngestError(.emptyBody, "The body is empty; send media.")
                }
                if let format = try decide(first, isComplete: true) {
                    try startWorker(format, feeder)
                    isStarted = true
                    try await pipe.write(first)
                }
            }
            if walk?.isWhole == false {
                throw IngestError(
                    .truncated,
                    "The body ends in the middle of its container after \(feeder.byteCount) bytes; whole fragments before that are kept. Send the whole file."
                )
            }
            feeder.bodyEnded(startsAgain: walk?.startsAgain ?? false)
        } catch let error as IngestError {
            feeder.noteBreak(error)
        } catch {
            // After a failure of the worker's own this changes nothing.
            feeder.noteBreak(
                IngestError(
                    .disconnected,
                    "The producer was lost after \(feeder.byteCount) bytes; what arrived is kept.",
                    cause: error
                )
            )
        }
        pipe.finish()
        if !isStarted {
            let error = feeder.breakError
            // A producer that goes before it has sent any media leaves nothing out.
            if let error, feeder.byteCount > 0, error.gapReason != .disconnect {
                session.reportRefusal(error.gapReason, at: feeder.firstByte.wall)
            }
            feeder.workerEnded(error)
        }
        return await feeder.workerResult()
    }

    /// What the body is; `nil` when more bytes are needed.
    private func decide(_ first: ByteBuffer, isComplete: Bool) throws(IngestError) -> InputFormat? {
        switch InputFormat.signature(of: first, isComplete: isComplete) {
        case .format(let format): return format
        case .undecided: return nil
        case .unknown:
            if let format = request.format { return format }
            let bytes = first.readableBytesView.prefix(8).map { byte in
                let digits = String(byte, radix: 16)
                return digits.count == 1 ? "0" + digits : digits
            }
            throw IngestError(
                .unknownContainer,
                "The body begins with \(bytes.joined(separator: " ")), which is no container that is understood; send MPEG-TS, Matroska or WebM, FLV or fragmented MP4."
            )
        }
    }

    private func startWorker(_ format: InputFormat, _ feeder: PushFeeder) throws(IngestError) {
        let worker = PushWorker(
            session: session,
            results: results,
            feeder: feeder,
            format: format,
            limits: limits,
            clock: stream.log.configuration.clock,
            sessionClock: request.startTimestamp.map { .starting(at: $0) } ?? .arrival,
            firstByte: feeder.firstByte,
            logger: logger
        )
        try IngestThread.start { feeder.workerEnded(worker.run()) }
    }
}

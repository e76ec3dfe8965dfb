package import FragmentLog
package import Logging
import MediaModel
package import NIOCore
import Synchronization

/// One PutMedia connection, from its headers to its last acknowledgement (KVS 2).
package final class PutMediaSession: Sendable {
    /// What the client is told, in order.
    ///
    /// Each is one HTTP chunk. It ends when the response is to end with a zero chunk: after
    /// ``run(_:)`` has made everything durable that it could. For one reader. At most ``PutMediaLimits/acknowledgementsMax`` wait here; of a client that
    /// does not read, the oldest go.
    package let acknowledgements: AsyncStream<PutMediaAck>

    private let stream: StreamLog
    private let session: ProducerSession
    private let request: PutMediaRequest
    private let limits: PutMediaLimits
    private let logger: Logger
    private let acks: AsyncStream<PutMediaAck>.Continuation
    private let ledger: AckLedger

    /// Lets the producer in.
    ///
    /// - Parameters:
    ///   - stream: The stream to push to.
    ///   - request: What the headers say.
    ///   - limits: What the connection may use.
    ///   - logger: The request's logger.
    /// - Throws: `.tooManySessions`, `.contention`, `.diskFull`, `.recordingOff`, `.streamDeleted`:
    ///   ordinary HTTP errors, before the response has begun.
    package init(
        stream: StreamLog,
        request: PutMediaRequest,
        limits: PutMediaLimits = PutMediaLimits(),
        logger: Logger
    ) throws(IngestError) {
        self.stream = stream
        self.request = request
        self.limits = limits
        self.logger = logger
        do throws(LogError) {
            session = try stream.openSession(
                SessionRequest(
                    protocolName: "putmedia",
                    peer: request.peer,
                    clockSource: request.timecodes == .absolute ? .absolute : .start
                )
            )
        } catch {
            throw IngestError(error)
        }
        (acknowledgements, acks) = AsyncStream.makeStream(
            of: PutMediaAck.self,
            bufferingPolicy: .bufferingNewest(limits.acknowledgementsMax)
        )
        ledger = AckLedger(
            acks,
            wantsAcknowledgements: request.wantsAcknowledgements,
            sendsPersisted: stream.info.settings.retentionHours > 0
        )
    }

    /// How a connection ended.
    package enum End: Equatable, Sendable {
        /// With its body, or because a newer one took over, or with the server.
        case finished
        /// Nothing arrived for too long.
        case idle
        /// The client is gone.
        case disconnected
        /// The client was told.
        case failed(PutMediaFailure)
    }

    /// Takes the body; returns when everything that was complete is durable and acknowledged.
    ///
    /// - Parameter body: The request's body; an error it throws is a lost connection. It must end
    ///   when its task is cancelled.
    /// - Returns: How the connection ended, and what of it is stored.
    package func run<Body: AsyncSequence & Sendable>(
        _ body: Body
    ) async -> (
        end: End, summary: PushSummary
    ) where Body.Element == ByteBuffer {
        let activity = BodyActivity(clock: stream.log.configuration.clock)
        let outcome = await withTaskGroup(of: Outcome?.self) { group in
            group.addTask { await self.watch(activity) }
            group.addTask {
                // A fragment that could not be stored ends a connection that only waits for it.
                await self.ledger.failed.wait()
                return nil
            }
            group.addTask { await self.receive(body, activity) }
            var outcome: Outcome?
            if let first = await group.next() { outcome = first }
            group.cancelAll()
            for await other in group { outcome = outcome ?? other }
            return outcome ?? .finished
        }
        return await conclude(outcome)
    }

    /// How reading the body ended.
    private enum Outcome {
        case finished
        case idle
        case disconnected
        case stopped(PutMediaStop)
    }

    /// Sends IDLE while nothing arrives, and ends the connection when that lasts.
    private func watch(_ activity: BodyActivity) async -> Outcome? {
        var notices: Int64 = 0
        while !Task.isCancelled {
            let silent = activity.silentMs
            if silent < limits.idleNoticeMs { notices = 0 }
            // Also a watch that wakes late says so before it ends the connection.
            if min(silent, limits.idleMs - 1) >= limits.idleNoticeMs * (notices + 1) {
                ledger.idle()
                notices += 1
            }
            if silent >= limits.idleMs { return .idle }
            let next = min(limits.idleMs, limits.idleNoticeMs * (notices + 1)) - silent
            try? await Task.sleep(for: .milliseconds(max(1, next)))
        }
        return nil
    }

    /// Reads the body to its end, its failure or the cancellation that follows an idle end.
    private func receive<Body: AsyncSequence>(
        _ body: Body,
        _ activity: BodyActivity
    ) async -> Outcome where Body.Element == ByteBuffer {
        var intake = PutMediaIntake(
            session: session,
            request: request,
            limits: limits,
            ledger: ledger,
            clock: stream.log.configuration.clock
        )
        do {
            for try await chunk in body {
                activity.received()
                try await intake.consume(chunk)
                activity.waiting()
            }
            if Task.isCancelled { throw CancellationError() }
            try await intake.finish()
            return .finished
        } catch {
            guard let stop = stop(for: error) else {
                intake.breakOff(.disconnect, keepsWhole: true)
                return .disconnected
            }
            intake.breakOff(stop.gapReason, keepsWhole: stop.isOrderly)
            return .stopped(stop)
        }
    }

    /// Why the body is not read any further; `nil` when the client is gone or was given up.
    private func stop(for error: any Error) -> PutMediaStop? {
        // What the client is owed an answer for also ends every wait of this task.
        if let failure = ledger.failure {
            return PutMediaStop(failure.error).about(failure.timecode, failure.number)
        }
        if let stop = error as? PutMediaStop {
            // A wait for memory that is cancelled, of a client that was silent for too long.
            if case .shuttingDown = stop.reason, Task.isCancelled { return nil }
            return stop
        }
        if let error = error as? IngestError, error.code == .shuttingDown {
            return PutMediaStop(shuttingDown: error)
        }
        return nil
    }

    /// Waits for the commits, then says the last word.
    private func conclude(_ outcome: Outcome) async -> (end: End, summary: PushSummary) {
        let reason: SessionEnd =
            switch outcome {
            case .finished: .finished
            case .idle, .disconnected: .disconnected
            case .stopped(let stop): stop.gapReason.map { .failed($0) } ?? .finished
            }
        await session.end(reason)
        var stop: PutMediaStop?
        if case .stopped(let first) = outcome { stop = first }
        // The last commits may have failed after the body had ended.
        if stop == nil, let failure = ledger.failure {
            stop = PutMediaStop(failure.error).about(failure.timecode, failure.number)
        }
        var summary = ledger.summary
        summary.gaps = session.gaps
        defer { acks.finish() }
        guard let stop else {
            let end: End =
                switch outcome {
                case .idle: .idle
                case .disconnected: .disconnected
                default: .finished
                }
            return (end, summary)
        }
        logger.notice(
            "PutMedia ended early",
            metadata: [
                "stream.name": "\(stream.name)", "session": "\(session.id)",
                "reason": "\(stop.reason)", "error": "\(stop.message)",
            ]
        )
        guard case .failed(let failure) = stop.reason else { return (.finished, summary) }
        ledger.error(failure, timecode: stop.timecode, stop.number)
        return (.failed(failure), summary)
    }
}

/// Since when a connection's client has sent nothing.
private final class BodyActivity: Sendable {
    private let clock: any WallClock
    private let waitingSinceMs: Mutex<Int64?>

    init(clock: any WallClock) {
        self.clock = clock
        waitingSinceMs = Mutex(clock.bootMilliseconds())
    }

    /// Bytes are in and being taken; the client need not be heard meanwhile.
    func received() {
        waitingSinceMs.withLock { $0 = nil }
    }

    /// More bytes are waited for.
    func waiting() {
        let now = clock.bootMilliseconds()
        waitingSinceMs.withLock { $0 = now }
    }

    /// Milliseconds for which bytes have been waited for.
    var silentMs: Int64 {
        guard let since = waitingSinceMs.withLock({ $0 }) else { return 0 }
        return clock.bootMilliseconds() - since
    }
}

import Logging
import MediaModel
import Synchronization

/// Producers: who is let in, who takes over, and what they leave behind.
extension StreamLog {
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
        if let failure = log.beginFailure() { throw failure }
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
                    state.takenOverAt = now
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

    /// Whether a fragment that has ended cannot be stored yet because an earlier one is open.
    func isWaiting(_ fragment: OpenFragment) -> Bool {
        state.withLock { state in
            for (other, _) in state.open {
                if other === fragment { return false }
                if !other.isEnded { return true }
            }
            return false
        }
    }

    /// Ends the open fragment of an older session that has fallen silent while a newer one sends, or
    /// that does not come to its end.
    ///
    /// The newer session's fragments wait for it, in memory.
    ///
    /// - Returns: Whether an older session's fragment is still open.
    func endSilentOverlap() -> Bool {
        let limits = log.configuration
        let now = limits.clock.bootMilliseconds()
        let (over, remaining) = state.withLock { state -> ([OpenFragment], Bool) in
            let older = state.open.filter {
                !$0.fragment.isEnded && $0.session.id != state.arbiter.current
            }.map(\.fragment)
            let over = older.filter {
                $0.millisecondsSinceAppend >= limits.silentTakeoverMilliseconds
                    || now - (state.takenOverAt ?? now) >= limits.overlapMillisecondsMax
            }
            return (over, over.count < older.count)
        }
        for fragment in over { fragment.interrupt(takenOver(fragment.session)) }
        return remaining
    }

    func sessionEnded(
        _ session: UInt64,
        hasBegun: Bool,
        reason: SessionEnd,
        completion: @escaping @Sendable () -> Void
    ) {
        log.releaseSession()
        let waits = state.withLock { state -> Bool in
            state.sessionCount -= 1
            state.arbiter.ended(session)
            // A deleted stream has no file any more to write its events to; after the log was closed
            // the next start finds a session without an end, and says so.
            guard !state.document.isDeleted, !state.isOver else { return false }
            // One that never began leaves no end, but may have left gaps, which its producer is told
            // of.
            let isIdle = state.pendingEvents.isEmpty && state.commitRun == .idle
            guard hasBegun || !isIdle else { return false }
            let end = StreamEvent.sessionEnd(
                session: session,
                reason: reason.text,
                at: log.clock.now()
            )
            state.pendingEvents.append(
                PendingEvent(event: hasBegun ? end : nil, completion: completion)
            )
            return true
        }
        if waits { scheduleCommit() } else { completion() }
    }

    /// Stores a stretch without footage.
    func record(_ gap: Gap) {
        state.withLock { state in
            guard !state.document.isDeleted, !state.isOver else { return }
            var gap = gap
            gap.end = max(gap.start, gap.end)
            // Also one that is not durable yet: its number says when the gap was noted, which is
            // what its expiry goes by where the footage itself is from long ago.
            if gap.after == nil {
                gap.after = state.open.last?.fragment.number ?? state.head?.number
            }
            state.pendingEvents.append(PendingEvent(event: .gap(gap), completion: nil))
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
}

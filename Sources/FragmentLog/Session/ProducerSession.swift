package import MediaModel
import Synchronization

/// What a producer asks for when it connects.
package struct SessionRequest: Sendable {
    /// The protocol as it is written into `events.log`, as in `http` or `putmedia`.
    package var protocolName: String
    /// The producer's address.
    package var peer: String
    /// Where its producer timestamps come from.
    package var clockSource: ClockSource

    /// A request from its parts.
    package init(protocolName: String, peer: String, clockSource: ClockSource) {
        self.protocolName = protocolName
        self.peer = peer
        self.clockSource = clockSource
    }
}

/// How a producer session ended.
package enum SessionEnd: Equatable, Sendable {
    /// The producer said goodbye.
    case finished
    /// The connection was lost.
    case disconnected
    /// The server ended it.
    case failed(GapReason)

    var text: String {
        switch self {
        case .finished: "finished"
        case .disconnected: "disconnected"
        case .failed(let reason): reason.rawValue
        }
    }
}

/// One connected producer, first byte to end.
///
/// Its fragments are begun one after another by one task or thread. Until the first one nothing of
/// the session shows in the log.
package final class ProducerSession: Sendable {
    /// Counted per stream from 1, never reused.
    package let id: UInt64
    /// What it asked for.
    package let request: SessionRequest
    /// The stream it sends to.
    package let stream: StreamLog

    private struct State {
        var hasBegun = false
        var isOver = false
        var open: OpenFragment?
        var outstanding = 0
        var gaps: [Gap] = []
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    /// A session remembers so many of its gaps for its answer; all are stored.
    private static let gapsRemembered = 1000

    private let state = Mutex(State())

    init(id: UInt64, request: SessionRequest, stream: StreamLog) {
        self.id = id
        self.request = request
        self.stream = stream
    }

    deinit {
        // A caller that forgot `end` must not use up the session limit for good.
        let (isOver, hasBegun) = state.withLock { ($0.isOver, $0.hasBegun) }
        if !isOver { stream.sessionEnded(id, hasBegun: hasBegun, reason: .disconnected) {} }
    }

    /// Whether a newer session has sent its first sample; the fragment that is open may still be
    /// brought to its end.
    package var isTakenOver: Bool { hasBegun && stream.isTakenOver(id) }

    /// The gaps reported in this session, the first thousand of them.
    package var gaps: [Gap] { state.withLock { $0.gaps } }

    /// Begins the next fragment: waits for memory, takes the stream over at the session's first
    /// call, assigns the number.
    ///
    /// - Throws: `.takenOver`, `.contention`, `.memory`, `.diskFull`, `.ioError`, `.streamDeleted`,
    ///   `.recordingOff` or `.shuttingDown`; the session is of no more use then.
    package func beginFragment(_ opening: FragmentOpening) async throws(LogError) -> OpenFragment {
        while true {
            if !stream.log.budget.hasRoom {
                await stream.log.budget.waitForRoom()
                if Task.isCancelled {
                    throw LogError(
                        .shuttingDown,
                        "A fragment of stream '\(stream.name)' was not begun: its session was cancelled."
                    )
                }
            }
            switch try stream.begin(opening, in: self) {
            case .begun(let fragment):
                return fragment
            case .needsNumbers:
                try await stream.reserveNumbers()
            }
        }
    }

    /// ``beginFragment(_:)`` for a thread of its own, which it may block.
    package func beginFragmentBlocking(_ opening: FragmentOpening) throws(LogError) -> OpenFragment
    {
        if stream.log.budget.hasRoom {
            switch try stream.begin(opening, in: self) {
            case .begun(let fragment): return fragment
            case .needsNumbers:
                try stream.reserveNumbersBlocking()
                if case .begun(let fragment) = try stream.begin(opening, in: self) {
                    return fragment
                }
            }
        }
        return try BlockingBridge.run { () async throws(LogError) in
            try await self.beginFragment(opening)
        }
    }

    /// Stores a stretch without footage; the newest fragment is filled in, and the session's id
    /// unless nothing of the session shows in the log.
    package func report(_ gap: Gap) {
        var gap = gap
        state.withLock { state in
            gap.session = state.hasBegun ? id : 0
            if state.gaps.count < Self.gapsRemembered { state.gaps.append(gap) }
        }
        stream.record(gap)
    }

    /// Ends the session: an open fragment is kept as incomplete, outstanding commits are waited for,
    /// and the end is written to `events.log`.
    package func end(_ reason: SessionEnd) async {
        let open = state.withLock { state -> OpenFragment? in
            defer { state.open = nil }
            return state.open
        }
        open?.interrupt(
            LogError(
                .shuttingDown,
                "Fragment \(open?.number.description ?? "") was ended with its session."
            )
        )
        // Also a cancelled task waits here: what was received is made durable before the end is
        // written, and the commits it waits for do not depend on it.
        await withCheckedContinuation { continuation in
            let isSettled = state.withLock { state -> Bool in
                if state.outstanding > 0 { state.waiters.append(continuation) }
                return state.outstanding == 0
            }
            if isSettled { continuation.resume() }
        }
        let (isFirst, hasBegun) = state.withLock { state -> (Bool, Bool) in
            defer { state.isOver = true }
            return (!state.isOver, state.hasBegun)
        }
        guard isFirst else { return }
        await withCheckedContinuation { continuation in
            stream.sessionEnded(id, hasBegun: hasBegun, reason: reason) { continuation.resume() }
        }
    }

    // MARK: The log's side

    /// Whether any fragment has begun.
    var hasBegun: Bool { state.withLock { $0.hasBegun } }

    func begun(_ fragment: OpenFragment) {
        state.withLock { state in
            state.hasBegun = true
            state.open = fragment
            state.outstanding += 1
        }
    }

    /// A fragment of this session is durable or has failed.
    func settled(_ fragment: OpenFragment) {
        let waiters = state.withLock { state -> [CheckedContinuation<Void, Never>] in
            state.outstanding -= 1
            if state.open === fragment { state.open = nil }
            guard state.outstanding == 0 else { return [] }
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }
}

import NIOCore

/// How far one connection has come and how long its peer is waited for.
///
/// Pure: what happens, the clock and what the peer has acknowledged are handed in; what is to be
/// done comes out.
struct ConnectionState {
    enum Phase: Equatable {
        /// The head of the next request is waited for.
        case awaitingHead
        /// A request is being handled.
        case answering
        /// The last response is complete and on its way to the kernel.
        case flushing
        /// Nothing more is sent; the peer is to read what was, and to close.
        case lingering
        case closed
    }

    enum Action: Equatable {
        case none
        /// Have everything that was written sent, then say ``flushed(at:)``.
        case flush
        /// Tell the peer that nothing more comes.
        case closeOutput
        case close(Reason)
    }

    /// Why a connection is closed.
    enum Reason: String, Equatable {
        /// It has done its work.
        case finished
        /// No head came.
        case idle
        /// The peer took nothing of a response.
        case stalled
        /// The server can wait no longer.
        case cutOff
    }

    private(set) var phase = Phase.awaitingHead
    /// Whether no further request is taken, because the server stops.
    private(set) var isStopping = false
    /// Whether the peer has said that it sends nothing more.
    private(set) var isPeerDone = false

    private let limits: ServerConfiguration
    /// Whether the peer must read before more is written.
    private var isFull = false
    /// Heads that have come and are not yet handled.
    private var headsWaiting = 0
    /// What the peer had acknowledged when it last made progress, and when that was.
    private var progress: (acknowledged: UInt64, at: NIODeadline)

    init(_ limits: ServerConfiguration, at now: NIODeadline) {
        self.limits = limits
        progress = (0, now)
    }

    // MARK: Requests

    /// A head has come.
    mutating func headArrived() { headsWaiting += 1 }

    /// A request is taken up.
    mutating func requestBegan() {
        headsWaiting -= 1
        if phase == .awaitingHead { phase = .answering }
    }

    /// A response is complete.
    ///
    /// - Parameters:
    ///   - mayGoOn: Whether another request may follow, as far as this one is concerned.
    ///   - now: The time.
    /// - Returns: `.none` when the next request is waited for.
    mutating func responseEnded(mayGoOn: Bool, at now: NIODeadline) -> Action {
        guard phase == .answering else { return .none }
        progress.at = now
        if mayGoOn, !isStopping, !isPeerDone || headsWaiting > 0 {
            phase = .awaitingHead
            return .none
        }
        phase = .flushing
        return .flush
    }

    // MARK: Ends

    /// Everything is with the kernel.
    mutating func flushed(at now: NIODeadline) -> Action {
        guard phase == .flushing else { return .none }
        progress.at = now
        // With nothing unread behind it, the close cannot destroy what is still to be delivered.
        if isPeerDone { return close(.finished) }
        phase = .lingering
        return .closeOutput
    }

    /// The peer sends nothing more.
    mutating func peerDone() -> Action {
        isPeerDone = true
        return phase == .lingering ? close(.finished) : .none
    }

    /// The server stops.
    mutating func stop() -> Action {
        isStopping = true
        return phase == .awaitingHead && headsWaiting == 0 ? close(.finished) : .none
    }

    /// The time for the server to stop is over.
    mutating func stopNow() -> Action { close(.cutOff) }

    /// The connection is gone.
    mutating func gone() { phase = .closed }

    private mutating func close(_ reason: Reason) -> Action {
        guard phase != .closed else { return .none }
        phase = .closed
        return .close(reason)
    }

    // MARK: Waiting

    /// The peer must read before more is written, or may be sent more.
    mutating func becomes(full isFull: Bool, at now: NIODeadline) {
        self.isFull = isFull
        progress.at = now
    }

    /// When to look at the peer's progress; `nil` while it is not waited for.
    var nextLook: TimeAmount? {
        // Often enough that a limit is kept to a quarter.
        patience.map { max(.milliseconds(5), .nanoseconds($0.0.nanoseconds / 4)) }
    }

    /// Looks whether the peer makes progress.
    ///
    /// - Parameters:
    ///   - acknowledged: Bytes that it has acknowledged so far.
    ///   - now: The time.
    /// - Returns: `.close` once it has made none for too long.
    mutating func look(acknowledged: UInt64, at now: NIODeadline) -> Action {
        guard let (limit, reason) = patience else { return .none }
        if acknowledged != progress.acknowledged {
            progress = (acknowledged, now)
            return .none
        }
        return now - progress.at >= limit ? close(reason) : .none
    }

    /// How long the peer may make no progress.
    private var patience: (TimeAmount, Reason)? {
        switch phase {
        // It may still be reading the response before.
        case .awaitingHead: (limits.requestHeadTimeout, .idle)
        case .answering: isFull ? (limits.readerStall, .stalled) : nil
        case .flushing: (limits.readerStall, .stalled)
        case .lingering: (limits.linger, .finished)
        case .closed: nil
        }
    }
}

import Synchronization

/// The memory that all open fragments share.
///
/// A fragment that is open never waits for memory: over the limit the largest ones are spilled to
/// disk, and only sessions about to open another fragment wait. So nobody who holds memory waits
/// for it, and there is no deadlock.
final class OpenMemoryBudget: Sendable {
    private struct State {
        var used = 0
        var fragments: [ObjectIdentifier: OpenFragment] = [:]
        var isSpilling = false
        /// Counts what was added, so that the one who spills sees what came meanwhile.
        var additions: UInt64 = 0
    }

    private let state = Mutex(State())
    private let limit: Int
    let changes = ChangeSignal()

    init(limit: Int) {
        self.limit = max(limit, 1)
    }

    /// Bytes of open fragments in memory now.
    var used: Int { state.withLock { $0.used } }

    /// Whether another fragment may be opened.
    var hasRoom: Bool { state.withLock { $0.used < limit } }

    /// Returns once there is room, or when the task is cancelled.
    func waitForRoom() async {
        while !Task.isCancelled {
            let seen = changes.version
            if hasRoom { return }
            await changes.wait(beyond: seen)
        }
    }

    func enter(_ fragment: OpenFragment) {
        state.withLock { $0.fragments[ObjectIdentifier(fragment)] = fragment }
    }

    func leave(_ fragment: OpenFragment) {
        state.withLock { _ = $0.fragments.removeValue(forKey: ObjectIdentifier(fragment)) }
    }

    /// Counts bytes taken or, negative, given back; returns whether spilling should start.
    func add(_ bytes: Int) -> Bool {
        let (gaveBack, spill) = state.withLock { state in
            let before = state.used
            state.used += bytes
            if bytes > 0 { state.additions += 1 }
            // Only for who adds: the others do not start it.
            if bytes > 0, state.used >= limit, !state.isSpilling, !state.fragments.isEmpty {
                state.isSpilling = true
                return (false, true)
            }
            return (before >= limit && state.used < limit, false)
        }
        if gaveBack { changes.signal() }
        return spill
    }

    /// Ends the open fragment with the largest table of samples when tables alone fill the memory,
    /// which no disk can relieve.
    private func endLargestTable(of fragments: [OpenFragment]) {
        let open = fragments.filter { !$0.isEnded }.map { ($0, $0.countedBytes) }
        guard open.reduce(0, { $0 + $1.1 }) >= limit,
            let largest = open.max(by: { $0.1 < $1.1 })?.0
        else { return }
        largest.interrupt(
            LogError(
                .memory,
                "Fragment \(largest.number) of stream '\(largest.stream.name)' was ended: the tables of its samples fill the memory of open fragments; send fewer and larger samples."
            )
        )
    }

    /// Spills the largest fragments until the total is below seven eighths of the limit.
    ///
    /// Blocks.
    ///
    /// One caller at a time: ``add(_:)`` tells who.
    func spillLargest() {
        while true {
            let (victims, seen) = state.withLock { state -> ([OpenFragment]?, UInt64) in
                if state.used <= limit - limit / 8 {
                    state.isSpilling = false
                    return (nil, 0)
                }
                return (Array(state.fragments.values), state.additions)
            }
            guard let victims else { break }
            let largest = victims.map { ($0, $0.spillableBytes) }.max { $0.1 < $1.1 }
            guard let (fragment, bytes) = largest, bytes > 0 else {
                endLargestTable(of: victims)
                let isOver = state.withLock { state -> Bool in
                    guard state.additions == seen else { return false }
                    state.isSpilling = false
                    return true
                }
                if isOver { break }
                continue
            }
            fragment.spill()
        }
        changes.signal()
    }
}

import Logging
import Synchronization

/// Fragment numbers: reserved durably in blocks before any of a block is given out.
extension StreamLog {
    /// How many sequences are reserved at a time.
    static let reservationBlock: UInt64 = 1000

    /// Reserves the next block half-way through the current one, off the hot path.
    func reserveNumbersAhead() {
        let isDue = state.withLock { state -> Bool in
            guard !state.isReserving,
                state.nextSequence + Self.reservationBlock / 2 >= state.reservedEnd
            else { return false }
            state.isReserving = true
            return true
        }
        guard isDue else { return }
        log.commitPool.submit { [self] in
            do throws(LogError) {
                try reserveNumbersBlocking()
            } catch {
                log.logger.warning(
                    "fragment numbers could not be reserved",
                    metadata: ["stream.name": "\(name)", "error": "\(error)"]
                )
            }
            state.withLock { $0.isReserving = false }
        }
    }

    func reserveNumbers() async throws(LogError) {
        try await log.commitPool.run { () throws(LogError) in try self.reserveNumbersBlocking() }
    }

    /// Reserves a block of sequences durably unless half a block is left.
    func reserveNumbersBlocking() throws(LogError) {
        try updateDocument { document in
            let needed = self.state.withLock { state in
                state.nextSequence + Self.reservationBlock / 2 >= state.reservedEnd
            }
            if needed { document.sequenceHighWater += Self.reservationBlock }
        }
        state.withLock { $0.reservedEnd = $0.document.sequenceHighWater }
    }
}

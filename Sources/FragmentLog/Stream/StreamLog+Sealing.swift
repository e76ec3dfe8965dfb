import Synchronization
import MediaModel

extension StreamLog {
    /// Seals the segment under construction once nothing was added for as long as a segment lasts,
    /// so that it can expire.
    ///
    /// Blocks.
    func sealIfIdle() {
        let limits = log.configuration.roll
        let limit = isRing ? limits.ringMilliseconds : limits.milliseconds
        let isBusy = state.withLock { !$0.open.isEmpty }
        guard !isBusy else { return }
        commit.withLock { commit in
            guard let segment = commit.segment else { return }
            if let last = segment.lastRecord,
                log.clock.now().milliseconds(since: last.server) < limit
            {
                return
            }
            seal(&commit)
        }
    }
}

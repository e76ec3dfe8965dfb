import Catalog
import Logging
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

    /// Tries once more to bring log segments into order that the start had to leave, as on a full
    /// disk.
    ///
    /// Blocks.
    ///
    /// One that is damaged stays as it is until a repair.
    func recoverLeftSegments() {
        let (left, document) = state.withLock { ($0.left, $0.document) }
        for segment in left where segment.error.code != .damaged {
            do throws(LogError) {
                let newest = try log.recoverSegment(segment.row, document)
                state.withLock { state in
                    state.left.removeAll { $0.row.first == segment.row.first }
                    if let newest, state.head.map({ $0.number < newest.number }) ?? true {
                        state.head = newest
                    }
                }
                changes.signal()
                log.logger.notice(
                    "a log segment was brought into order",
                    metadata: ["stream.name": "\(name)", "segment": "\(segment.row.first)"]
                )
            } catch {
                // Said at the start, and by status and verify for as long as it lasts.
                state.withLock { state in
                    for index in state.left.indices
                    where state.left[index].row.first == segment.row.first {
                        state.left[index].error = error
                    }
                }
            }
        }
    }
}

import Catalog
import Logging
import MediaModel
import Synchronization

/// How log segments end: sealed, or closed as suspect, and the catalog told.
///
/// Everything blocks and runs under the lock of the commit run.
extension StreamLog {
    /// Closes a segment that can no longer be trusted beyond what was synced.
    func abandonSuspect(_ segment: any SegmentAppender, _ commit: inout CommitState) {
        guard segment.syncedLength >= segment.length else {
            // Of a stream that does not sync its fragments nothing is known to be on the disk. The
            // row stays open, so that a start after a power cut looks at each of them.
            close(segment, durableLength: nil, isIndexDurable: false, &commit)
            return
        }
        var isIndexDurable = true
        do throws(LogError) {
            try segment.secureIndex()
        } catch {
            isIndexDurable = false
            log.logger.error(
                "the index of a suspect log segment could not be written anew; the next start does it",
                metadata: ["segment": "\(segment.id)", "error": "\(error)"]
            )
        }
        close(segment, durableLength: segment.length, isIndexDurable: isIndexDurable, &commit)
        do throws(LogError) {
            try segment.cutTail()
        } catch {
            log.logger.error(
                "a suspect log segment could not be cut",
                metadata: ["segment": "\(segment.id)", "error": "\(error)"]
            )
        }
    }

    /// Ends the segment under construction: sync both files, then the catalog row.
    func seal(_ commit: inout CommitState) {
        guard let segment = commit.segment else { return }
        do throws(LogError) {
            if segment.count > 0 { try segment.seal() }
            close(segment, durableLength: nil, isIndexDurable: true, &commit)
        } catch {
            log.logger.error(
                "a log segment could not be synced at its end",
                metadata: ["segment": "\(segment.id)", "error": "\(error)"]
            )
            abandonSuspect(segment, &commit)
        }
    }

    private func close(
        _ segment: any SegmentAppender,
        durableLength: UInt64?,
        isIndexDurable: Bool,
        _ commit: inout CommitState
    ) {
        commit.segment = nil
        log.openSegmentCount.subtract(1, ordering: .relaxed)
        guard let extent = segment.extent else {
            discard(segment)
            return
        }
        commit.unclosed.append(
            ClosedSegment(
                id: segment.id,
                extent: extent,
                durableLength: durableLength,
                isIndexDurable: isIndexDurable
            )
        )
        state.withLock { state in
            // Until its row says how much it holds, readers are told here.
            state.closing[segment.id] = segment.count
            if state.active?.id == segment.id { state.active = nil }
        }
        closeRows(&commit)
    }

    /// Removes a segment in which nothing was ever promised to anybody.
    private func discard(_ segment: any SegmentAppender) {
        do throws(LogError) {
            try log.rows.markDeleting([segment.id.first], of: id, epoch: epoch)
            try log.removeSegments([segment.id.first], of: id, epoch: epoch)
        } catch {
            log.logger.warning(
                "an empty log segment is left to the next start",
                metadata: ["segment": "\(segment.id)", "error": "\(error)"]
            )
        }
    }

    /// Tells the catalog of segments that are complete; what fails is tried again with the next
    /// commit and the next sweep, and by the next start at the latest.
    func closeRows(_ commit: inout CommitState) {
        while let segment = commit.unclosed.first {
            do throws(LogError) {
                try closeRow(segment)
            } catch {
                log.logger.error(
                    "the end of a log segment could not be recorded",
                    metadata: ["segment": "\(segment.id)", "error": "\(error)"]
                )
                return
            }
            commit.unclosed.removeFirst()
            guard segment.isIndexDurable else { continue }
            state.withLock { _ = $0.closing.removeValue(forKey: segment.id) }
        }
    }

    private func closeRow(_ segment: ClosedSegment) throws(LogError) {
        if let length = segment.durableLength {
            try updateDocument { $0.suspectSegments[segment.id.first] = length }
        }
        guard segment.isIndexDurable else { return }
        if let length = segment.durableLength {
            try log.rows.markSuspect(
                segment.id,
                durableLength: length,
                extent: segment.extent,
                epoch: epoch
            )
        } else {
            try log.rows.seal(segment.id, extent: segment.extent, epoch: epoch)
        }
    }
}

import MediaModel

/// Accounting for what is not kept.
///
/// A loss is told as a gap from where to where it is: to the next fragment where nothing at all is
/// stored before that begins, else to the last sample that was not kept. The former are told when
/// the fragment begins, the latter, which may go on for as long as the session, once a minute.
extension FragmentCutter {
    private static let reportIntervalMs: Int64 = 60_000

    /// Counts samples that came to nothing before they got here, at the newest time known.
    ///
    /// Without any sample before them there is no time to count them at.
    ///
    /// - Parameters:
    ///   - sampleCount: How many.
    ///   - byteCount: Their bytes, as far as known.
    package mutating func refuse(sampleCount: Int, byteCount: Int) {
        guard sampleCount > 0, clock.isAnchored, let headMs else { return }
        let time = clock.producer(ofMediaMs: headMs)
        let index = index(ofLossFor: .refused, at: time)
        losses[index].add(sampleCount: sampleCount, byteCount: byteCount, at: time)
    }

    /// Counts a sample that is not kept.
    mutating func drop(_ sample: IngestSample, _ reason: GapReason, atMs mediaMs: Int64) {
        // Without a sample of the governing track, this one tells where media time stands.
        if !clock.isAnchored { clock.observe(mediaMs: mediaMs, arrival: sample.arrival) }
        let time = clock.producer(ofMediaMs: mediaMs)
        let index = index(ofLossFor: reason, at: time)
        losses[index].add(sampleCount: 1, byteCount: sample.size, at: time)
        if fragment == nil, time >= lastEnd ?? time { losses[index].isOpenEnded = true }
    }

    /// Sees to it that the next fragment reports a gap since the last one's end.
    mutating func noteJump() {
        guard let lastEnd else { return }
        let index = index(ofLossFor: .timestampJump, at: lastEnd)
        losses[index].start = lastEnd
        losses[index].end = max(lastEnd, losses[index].end)
        losses[index].isOpenEnded = true
    }

    private mutating func index(ofLossFor reason: GapReason, at time: Timestamp) -> Int {
        if let index = losses.firstIndex(where: { $0.reason == reason }) { return index }
        losses.append(Loss(reason: reason, at: time))
        return losses.count - 1
    }

    /// Reports what ends where a fragment begins, and what has been going on for long.
    mutating func reportLosses(before start: Timestamp, _ actions: inout [CutAction]) {
        losses.removeAll { loss in
            let isDue =
                loss.isOpenEnded
                || start.milliseconds(since: loss.start) >= Self.reportIntervalMs
            if isDue { actions.append(.gap(loss.gap(before: start))) }
            return isDue
        }
    }

    /// Reports what is left at the end of the session.
    mutating func reportLosses(_ actions: inout [CutAction]) {
        for loss in losses where loss.sampleCount > 0 {
            actions.append(.gap(loss.gap(before: nil)))
        }
        losses = []
    }
}

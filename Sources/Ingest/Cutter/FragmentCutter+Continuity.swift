import MediaModel

/// Deciding whether a sample continues the session's time line.
extension FragmentCutter {
    enum Continuity {
        /// The sample follows.
        case follows
        /// Its track steps back, but not away from the others.
        case stepsBack
        /// It lies elsewhere.
        case jumps
        /// It belongs to the time line before the last jump.
        case lags
    }

    /// How long after a jump samples of the time line before it may still come, in milliseconds.
    private static let lagMs: Int64 = 1000

    /// A step within the limits follows, and so does one forward to where the other tracks are: a
    /// track may pause for as long as it likes.
    func continuity(of sample: TimedSample, _ track: CutTrack) -> Continuity {
        let distance = headMs.map { abs(sample.dtsMs - $0) } ?? 0
        let nearOthers = distance <= limits.times.forwardMs
        guard let last = track.lastDTSMs else {
            if let before = track.beforeJumpDTSMs {
                let step = sample.dtsMs - before
                if step >= 0, step <= Self.lagMs, step < distance { return .lags }
            }
            return nearOthers ? .follows : .jumps
        }
        let step = sample.dtsMs - last
        if step < -limits.times.backwardMs { return nearOthers ? .stepsBack : .jumps }
        return step <= limits.times.forwardMs || nearOthers ? .follows : .jumps
    }

    /// Takes a sample to where it belongs.
    mutating func take(_ sample: TimedSample, _ actions: inout [CutAction]) {
        guard let index = index(of: sample.sample.track) else { return }
        let isPreferred = sample.sample.track == preferred
        let isGoverning = isPreferred || sample.sample.track == governor
        if isPreferred, sample.sample.track != governor, !canBegin(sample, tracks[index]) {
            return drop(sample.sample, .noSync, atMs: sample.ptsMs)
        }
        let continuity = continuity(of: sample, tracks[index])
        switch continuity {
        case .follows:
            if !isGoverning { discardStrays(of: sample.sample.track) }
        case .lags:
            return drop(sample.sample, .timestampJump, atMs: headMs ?? sample.dtsMs)
        case .stepsBack, .jumps:
            if !isGoverning { return takeStray(sample, isNear: continuity == .stepsBack) }
            restart(at: sample, jumped: true, &actions)
        }
        if isGoverning, mustRestart, sample.sample.isSync {
            restart(at: sample, jumped: false, &actions)
        }
        note(sample, index)
        if isGoverning { clock.observe(mediaMs: sample.ptsMs, arrival: sample.sample.arrival) }
        place(sample, index, &actions)
    }

    private mutating func note(_ sample: TimedSample, _ index: Int) {
        if let last = tracks[index].lastDTSMs, sample.dtsMs > last {
            tracks[index].stepMs = min(sample.dtsMs - last, limits.times.forwardMs)
        }
        tracks[index].lastDTSMs = max(tracks[index].lastDTSMs ?? sample.dtsMs, sample.dtsMs)
        tracks[index].beforeJumpDTSMs = nil
        headMs = max(headMs ?? sample.dtsMs, sample.dtsMs)
        if sample.sample.track == preferred { hasPreferredSamples = true }
    }

    /// Ends the time line at a sample of the governing track and begins another.
    private mutating func restart(
        at sample: TimedSample,
        jumped: Bool,
        _ actions: inout [CutAction]
    ) {
        endWaiting(&actions)
        let hadFragments = fragment != nil || lastEnd != nil
        close(nextStartMs: jumped ? nil : sample.ptsMs, &actions)
        for index in tracks.indices {
            if jumped { tracks[index].beforeJumpDTSMs = tracks[index].lastDTSMs }
            if jumped || tracks[index].track.number != sample.sample.track {
                tracks[index].lastDTSMs = nil
            }
        }
        mustRestart = false
        if jumped {
            for sample in held.takeAll() { drop(sample.sample, .noSync, atMs: sample.ptsMs) }
            clock.jump(
                toMediaMs: sample.ptsMs,
                fromMediaMs: lastEndMs,
                arrival: sample.sample.arrival
            )
            headMs = nil
        }
        if hadFragments {
            isAfterJump = true
            if jumped { noteJump() }
        }
        // The head is where this sample is, so that strays are judged by it.
        headMs = max(headMs ?? sample.dtsMs, sample.dtsMs)
        for stray in strays.takeAll() {
            guard let index = index(of: stray.sample.track),
                continuity(of: stray, tracks[index]) == .follows
            else {
                drop(stray.sample, .timestampJump, atMs: headMs ?? 0)
                continue
            }
            note(stray, index)
            hold(stray)
        }
    }

    /// Keeps a sample of another track aside that jumped: the governing track may follow.
    private mutating func takeStray(_ sample: TimedSample, isNear: Bool) {
        for gone in strays.append(
            sample,
            countMax: limits.heldCountMax,
            bytesMax: limits.heldBytesMax / 2
        ) {
            drop(gone.sample, .timestampJump, atMs: headMs ?? 0)
        }
        guard let first = strays.first else { return }
        // Strays are told apart from an outlier by going on for a while.
        if isNear, sample.dtsMs - first.dtsMs > limits.times.backwardMs { mustRestart = true }
        let patience = limits.preRollMs
        for gone in strays.takeFirst(while: { abs(sample.dtsMs - $0.dtsMs) > patience }) {
            drop(gone.sample, .timestampJump, atMs: headMs ?? 0)
        }
    }

    private mutating func discardStrays(of track: UInt8) {
        guard !strays.isEmpty else { return }
        for sample in strays.take(where: { $0.sample.track == track }) {
            drop(sample.sample, .timestampJump, atMs: headMs ?? 0)
        }
    }
}

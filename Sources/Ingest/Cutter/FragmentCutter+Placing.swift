import MediaModel

/// Deciding which fragment a sample goes into.
extension FragmentCutter {
    /// Puts a sample that continues the time line into a fragment, or holds or drops it.
    mutating func place(_ sample: TimedSample, _ index: Int, _ actions: inout [CutAction]) {
        if mustWait(sample, tracks[index]) { return wait(sample, &actions) }
        if sample.sample.track != governor, sample.sample.track == preferred {
            return takeOver(sample, index, &actions)
        }
        if sample.sample.track == governor {
            placeGoverning(sample, index, &actions)
        } else {
            placeOther(sample, index, &actions)
        }
    }

    // MARK: Waiting for parameters

    /// Whether the first fragment would lack tracks that are announced.
    ///
    /// MPEG-TS names its tracks at once, but says how sound is coded only with the first frame of it.
    private func mustWait(_ sample: TimedSample, _ track: CutTrack) -> Bool {
        if !waitingStart.isEmpty { return true }
        return !hasWaited && fragment == nil && sample.sample.track == governor
            && canBegin(sample, track) && tracks.contains { !$0.isReady }
    }

    private mutating func wait(_ sample: TimedSample, _ actions: inout [CutAction]) {
        waitingStart.append(sample)
        waitingBytes += sample.sample.size
        let waited = sample.dtsMs - (waitingStart.first?.dtsMs ?? sample.dtsMs)
        if waited >= limits.parametersMs || waitingBytes > limits.heldBytesMax
            || tracks.allSatisfy(\.isReady)
        {
            endWaiting(&actions)
        }
    }

    /// Begins the first fragment with what is known.
    mutating func endWaiting(_ actions: inout [CutAction]) {
        guard !waitingStart.isEmpty else { return }
        let waiting = waitingStart
        waitingStart = []
        hasWaited = true
        for sample in waiting {
            guard let index = index(of: sample.sample.track) else { continue }
            place(sample, index, &actions)
        }
    }

    // MARK: Placing

    private func beginsFragment(_ sample: TimedSample, _ track: CutTrack) -> Bool {
        sample.sample.isSync || track.track.kind != .video
    }

    /// Whether a sample can begin the session's first fragment of its track.
    func canBegin(_ sample: TimedSample, _ track: CutTrack) -> Bool {
        beginsFragment(sample, track) && track.isReady
    }

    /// Audio governed while the video track was silent or not there; its first sync sample ends that.
    private mutating func takeOver(
        _ sample: TimedSample,
        _ index: Int,
        _ actions: inout [CutAction]
    ) {
        governor = sample.sample.track
        cut(at: sample, index, [], &actions)
    }

    private mutating func placeGoverning(
        _ sample: TimedSample,
        _ index: Int,
        _ actions: inout [CutAction]
    ) {
        let begins = beginsFragment(sample, tracks[index])
        guard let fragment else {
            if !tracks[index].isReady || !begins && !isAfterJump {
                return drop(sample.sample, .noSync, atMs: sample.ptsMs)
            }
            return cut(at: sample, index, begins ? [] : .dependent, &actions)
        }
        let elapsed = sample.ptsMs - fragment.startMs
        let isVideo = tracks[index].track.kind == .video
        let minimum = isVideo ? limits.minimumMs : limits.withoutVideoMs
        let isFull = elapsed >= limits.maximumMs || !fits(sample, fragment)
        // At a dependent fragment nobody can start: what follows it must not become one as well.
        let isDue = elapsed >= minimum || isFull || isVideo && fragment.isDependent
        if begins, isDue || !tracks[index].isDescribed {
            return cut(at: sample, index, [], &actions)
        }
        if isFull || fragment.offset(of: sample, in: tracks[index]) == nil {
            guard mayForce(sample, fragment) else {
                return drop(sample.sample, .timestampJump, atMs: sample.dtsMs)
            }
            return cut(at: sample, index, .dependent, &actions)
        }
        add(sample, index, &actions)
    }

    private mutating func placeOther(
        _ sample: TimedSample,
        _ index: Int,
        _ actions: inout [CutAction]
    ) {
        guard let fragment else { return holdUntilSync(sample, &actions) }
        guard tracks[index].isDescribed else {
            hold(sample)
            // A new track waits for the next cut, but not for the end of a long group of pictures.
            if tracks[index].isReady, let first = held.first,
                sample.ptsMs - first.ptsMs >= limits.preRollMs
            {
                close(nextStartMs: sample.ptsMs, &actions)
                begin(at: sample, .dependent, &actions)
                addHeld(&actions)
            }
            return
        }
        // The governing track should make the cut; two seconds more are its chance.
        let latest = min(limits.maximumMs + 2000, Int64(Int16.max))
        if sample.ptsMs - fragment.startMs > latest || !fits(sample, fragment) {
            guard mayForce(sample, fragment) else {
                return drop(sample.sample, .timestampJump, atMs: sample.dtsMs)
            }
            return cut(at: sample, index, .dependent, &actions)
        }
        add(sample, index, &actions)
    }

    /// Whether the open fragment has room for the sample.
    private func fits(_ sample: TimedSample, _ fragment: CutFragment) -> Bool {
        fragment.byteCount + sample.sample.size <= limits.maximumBytes
            && fragment.sampleCount < limits.maximumSamples
    }

    /// Whether a fragment may end here without a sync sample.
    ///
    /// A track whose times flicker must not make a fragment of every sample. Decode times are behind
    /// what has been shown by the depth of reordering, so that they cannot be asked for all of a
    /// maximum that equals the minimum.
    private func mayForce(_ sample: TimedSample, _ fragment: CutFragment) -> Bool {
        !fits(sample, fragment)
            || sample.dtsMs - fragment.startDTSMs >= min(limits.minimumMs, limits.maximumMs / 2)
                && sample.ptsMs > fragment.startMs
    }

    /// Ends the open fragment, if there is one, and begins another with a sample.
    private mutating func cut(
        at sample: TimedSample,
        _ index: Int,
        _ flags: FragmentFlags,
        _ actions: inout [CutAction]
    ) {
        close(nextStartMs: sample.ptsMs, &actions)
        begin(at: sample, flags, &actions)
        add(sample, index, &actions)
        addHeld(&actions)
    }

    // MARK: Holding back

    /// Holds a sample back for the fragment to come.
    mutating func hold(_ sample: TimedSample) {
        for gone in held.append(
            sample,
            countMax: limits.heldCountMax,
            bytesMax: limits.heldBytesMax
        ) {
            drop(gone.sample, .noSync, atMs: gone.ptsMs)
        }
    }

    /// Holds a sample back until the governing track's first sync sample.
    ///
    /// When nothing of the governing track comes for as long as audio is held, the first track that
    /// does come governs, so that a silent video track does not make the sound disappear.
    private mutating func holdUntilSync(_ sample: TimedSample, _ actions: inout [CutAction]) {
        hold(sample)
        guard let first = held.first, sample.ptsMs - first.ptsMs > limits.preRollMs else { return }
        if hasPreferredSamples {
            // Some slack: the sync sample's own time decides in the end.
            let oldest = sample.ptsMs - 2 * limits.preRollMs
            for gone in held.takeFirst(while: { $0.ptsMs < oldest }) {
                drop(gone.sample, .noSync, atMs: gone.ptsMs)
            }
            return
        }
        guard let index = index(of: first.sample.track), tracks[index].isReady else { return }
        governor = first.sample.track
        for sample in held.takeAll() {
            guard let index = self.index(of: sample.sample.track) else { continue }
            if sample.sample.track == governor {
                clock.observe(mediaMs: sample.ptsMs, arrival: sample.sample.arrival)
            }
            place(sample, index, &actions)
        }
    }

    // MARK: Opening, adding, closing

    /// Begins a fragment at a sample, which is not yet added.
    mutating func begin(
        at first: TimedSample,
        _ flags: FragmentFlags,
        _ actions: inout [CutAction]
    ) {
        let reading = clock.open(atMediaMs: first.ptsMs)
        var flags = flags
        if isAfterJump { flags.insert(.discontinuity) }
        if reading.isStep, lastEnd != nil {
            flags.insert(.discontinuity)
            noteJump()
        }
        if first.sample.startsOpenGOP, first.sample.track == governor { flags.insert(.openGOP) }
        let oldest = first.ptsMs - limits.preRollMs
        for old in held.takeFirst(while: { $0.ptsMs < oldest }) {
            drop(old.sample, .noSync, atMs: old.ptsMs)
        }
        reportLosses(before: reading.producer, &actions)
        for index in tracks.indices { tracks[index].isDescribed = tracks[index].isReady }
        actions.append(
            .open(
                FragmentStart(
                    producer: reading.producer,
                    mediaTimeMs: first.ptsMs,
                    clockSource: clock.source,
                    clockErrorMs: reading.errorMs,
                    flags: flags,
                    tracks: tracks.filter(\.isReady).map(\.track)
                )
            )
        )
        fragment = CutFragment(
            first: first,
            producer: reading.producer,
            isDependent: flags.contains(.dependent)
        )
        isAfterJump = false
    }

    /// Adds what was held back for the fragment that has just begun, behind its first sample.
    ///
    /// What is held after that is of tracks that the fragment does not describe.
    mutating func addHeld(_ actions: inout [CutAction]) {
        guard !held.isEmpty, let fragment else { return }
        let oldest = fragment.startMs - limits.preRollMs
        let described = tracks.filter(\.isDescribed).map(\.track.number)
        for sample in held.take(where: { described.contains($0.sample.track) }) {
            if sample.ptsMs < oldest {
                drop(sample.sample, .noSync, atMs: sample.ptsMs)
            } else if let index = index(of: sample.sample.track) {
                add(sample, index, &actions)
            }
        }
    }

    /// Adds a sample to the open fragment.
    mutating func add(_ sample: TimedSample, _ index: Int, _ actions: inout [CutAction]) {
        guard let offset = fragment?.offset(of: sample, in: tracks[index]) else {
            return drop(sample.sample, .timestampJump, atMs: sample.dtsMs)
        }
        let end = sample.ptsMs + tracks[index].durationMs(of: sample.sample)
        let isGoverning = sample.sample.track == governor
        fragment?.add(sample.sample, endMs: end, isGoverning: isGoverning)
        actions.append(.append(sample.sample, offset: offset))
    }

    /// Closes the open fragment, if there is one.
    ///
    /// - Parameters:
    ///   - nextStartMs: Where the next fragment begins, when it continues this one.
    ///   - actions: Receives the close.
    mutating func close(nextStartMs: Int64?, _ actions: inout [CutAction]) {
        guard let fragment else { return }
        let estimated = (fragment.governingEndMs ?? fragment.endMs) - fragment.startMs
        let stated = nextStartMs.map { $0 - fragment.startMs } ?? 0
        let duration = max(1, stated > 0 ? stated : estimated)
        let held = UInt32(clamping: duration)
        actions.append(.close(FragmentEnd(durationMs: held, flags: fragment.flags)))
        lastEndMs = fragment.startMs + Int64(held)
        lastEnd = fragment.producer.advanced(byMilliseconds: Int64(held))
        self.fragment = nil
    }
}

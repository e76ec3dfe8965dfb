package import MediaModel

/// Cuts the samples of a session into fragments (DESIGN section 6).
///
/// Pure: no I/O, no clock, no locks.
///
/// The first video track governs: a fragment begins at its first sync sample at or after the minimum
/// duration. Sessions without video are cut by duration. Every other sample goes into the fragment
/// that is open when it arrives. A group of pictures beyond the maximum goes on in a fragment flagged
/// `dependent`; a jump of media time ends the fragment and flags the next `discontinuity`; what
/// cannot be kept is counted and comes out as a gap.
package struct FragmentCutter: Sendable {
    /// Where fragments end and how much is held back.
    package let limits: CutterLimits

    var clock: SessionClock
    var tracks: [CutTrack] = []

    /// The track that fragments begin with; the preferred one but for a video track that is silent.
    var governor: UInt8?

    /// The first video track, else the first audio track, else the first.
    private(set) var preferred: UInt8?

    var fragment: CutFragment?

    /// Samples for the next fragment: audio before the first sync sample, and samples of tracks
    /// that the open fragment's header does not describe.
    var held = HeldSamples()

    /// The beginning of the first fragment while parameters of announced tracks are missing.
    var waitingStart: [TimedSample] = []
    var waitingBytes = 0
    var hasWaited = false

    /// Samples of other tracks whose times jumped, until the governing track jumps as well.
    var strays = HeldSamples()

    /// A track other than the governing one stepped back and goes on from there: the next fragment
    /// starts a new time line.
    var mustRestart = false

    /// The newest decode time of any track since the last jump, in milliseconds.
    var headMs: Int64?

    /// Media time and producer time at which the last fragment ended.
    var lastEndMs: Int64?
    var lastEnd: Timestamp?

    /// The next fragment does not continue the media time of the one before it.
    var isAfterJump = false

    /// What was not kept and is not yet reported, at most one for a reason.
    var losses: [Loss] = []

    /// Whether any sample of the preferred track came.
    var hasPreferredSamples = false

    /// A cutter for a session.
    ///
    /// - Parameters:
    ///   - clock: The session's clock before its first sample.
    ///   - limits: Where fragments end and how much is held back.
    package init(clock: SessionClock, limits: CutterLimits = CutterLimits()) {
        self.clock = clock
        self.limits = limits
    }

    /// Makes a track known, or tells what became known of it.
    ///
    /// A track that appears, or changes, after the header was written gets a new header at the next
    /// cut; its samples are held back until then.
    ///
    /// - Parameters:
    ///   - track: The track; its number identifies it.
    ///   - isReady: Whether its parameters suffice for a header.
    package mutating func setTrack(_ track: Track, isReady: Bool) {
        if let index = index(of: track.number) {
            guard tracks[index].track != track || tracks[index].isReady != isReady else { return }
            tracks[index].track = track
            tracks[index].isReady = isReady
            tracks[index].isDescribed = false
        } else {
            tracks.append(CutTrack(track: track, isReady: isReady))
            tracks.sort { $0.track.number < $1.track.number }
        }
        preferred = firstOfBestKind()
        if fragment == nil, lastEnd == nil { governor = preferred }
    }

    /// Takes the next sample of any track, in order of arrival.
    ///
    /// - Parameters:
    ///   - sample: The sample.
    ///   - actions: Receives what is to be done, in order.
    /// - Throws: `.fragmentTooLarge` for a sample that no fragment can hold; `.garbage` for one of an
    ///   unknown track. The cutter takes no more samples then; ``end()`` may still be called.
    package mutating func append(
        _ sample: IngestSample,
        into actions: inout [CutAction]
    ) throws(IngestError) {
        guard let index = index(of: sample.track) else {
            throw IngestError(
                .garbage,
                "A sample belongs to track \(sample.track), which is unknown."
            )
        }
        guard sample.size <= limits.maximumBytes else {
            throw IngestError(
                .fragmentTooLarge,
                "A sample of track \(sample.track) has \(sample.size) bytes where a fragment may have \(limits.maximumBytes); lower the bit rate."
            )
        }
        if let track = sample.newTrack { setTrack(track, isReady: true) }
        guard let timed = TimedSample(sample, timeBase: tracks[index].track.timeBase) else {
            return drop(sample, .timestampJump, atMs: headMs ?? 0)
        }
        // Whether a sample continues the time line is seen by its decode time. One that is shown
        // far from there must not begin a fragment, which would be as far from all that follow.
        guard abs(timed.ptsMs - timed.dtsMs) <= limits.times.reorderMs else {
            return drop(sample, .timestampJump, atMs: timed.dtsMs)
        }
        take(timed, &actions)
    }

    /// Ends the session: closes the open fragment and reports what was not kept.
    package mutating func end() -> [CutAction] {
        var actions: [CutAction] = []
        endWaiting(&actions)
        for sample in strays.takeAll() { drop(sample.sample, .timestampJump, atMs: headMs ?? 0) }
        // Audio that waited for a sync sample that never came.
        for sample in held.takeAll() { drop(sample.sample, .noSync, atMs: sample.ptsMs) }
        close(nextStartMs: nil, &actions)
        reportLosses(&actions)
        return actions
    }

    // MARK: Tracks

    private func firstOfBestKind() -> UInt8? {
        let kinds: [TrackKind] = [.video, .audio, .data]
        for kind in kinds {
            if let track = tracks.first(where: { $0.track.kind == kind }) {
                return track.track.number
            }
        }
        return nil
    }

    func index(of number: UInt8) -> Int? {
        tracks.firstIndex { $0.track.number == number }
    }
}

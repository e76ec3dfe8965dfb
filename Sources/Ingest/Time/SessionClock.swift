package import MediaModel

/// The mapping from a session's media time to producer time.
///
/// Media time is what playback uses and is never touched. Producer time is what queries use; it is
/// `media time + offset`, where the offset comes from the protocol or, without one, from arrival: the
/// first arrival anchors it and, for sessions that run at 0.9 to 1.1 × real time, it follows the lower
/// envelope of arrival at no more than 500 ppm. A file pushed faster than real time keeps its anchor.
package struct SessionClock: Sendable {
    /// The most a session's clock is bent, in parts per million.
    package static let slewPPM: Int64 = 500

    /// A difference above this is corrected at once and is a discontinuity, in milliseconds.
    package static let stepMs: Int64 = 500

    /// A forward jump of media time up to this much counts as time that passed, in milliseconds.
    package static let plausiblePauseMs: Int64 = 3_600_000

    /// One reading of the clock.
    package struct Reading: Equatable, Sendable {
        /// Producer time.
        package var producer: Timestamp

        /// How far the offset is known to be off at this moment, in milliseconds.
        package var errorMs: UInt32

        /// The offset was corrected at once: producer time does not continue.
        package var isStep: Bool
    }

    /// Where the producer times come from.
    package let source: ClockSource

    /// The start time the producer named, where `source` is `start`.
    private let start: Timestamp?

    /// Producer time minus media time in microseconds; `nil` until the first sample anchors it.
    private var offsetUs: Int64?

    private var estimator = ArrivalEstimator()

    /// Wall clock minus boot clock at the last observation, in milliseconds.
    private var wallMinusBootMs: Int64 = 0

    /// Media time of the last reading that was allowed to bend the clock.
    private var bentAtMs: Int64?

    private init(source: ClockSource, start: Timestamp?, offsetUs: Int64?) {
        self.source = source
        self.start = start
        self.offsetUs = offsetUs
    }

    /// A clock for media times that are milliseconds since 1970 already.
    package static var absolute: SessionClock {
        SessionClock(source: .absolute, start: nil, offsetUs: 0)
    }

    /// A clock whose first sample was captured at a time the producer named.
    package static func starting(at start: Timestamp) -> SessionClock {
        SessionClock(source: .start, start: start, offsetUs: nil)
    }

    /// A clock that is estimated from arrival.
    package static var arrival: SessionClock {
        SessionClock(source: .arrival, start: nil, offsetUs: nil)
    }

    /// Whether media time has been tied to producer time.
    var isAnchored: Bool { offsetUs != nil }

    /// Takes note of a sample of the governing track.
    ///
    /// - Parameters:
    ///   - mediaMs: Its presentation time in milliseconds of media time.
    ///   - arrival: When its bytes arrived.
    package mutating func observe(mediaMs: Int64, arrival: Arrival) {
        guard source != .absolute else { return }
        if offsetUs == nil {
            anchor(mediaMs: mediaMs, at: start ?? arrival.wall)
        }
        guard source == .arrival else { return }
        estimator.observe(mediaMs: mediaMs, bootMs: arrival.bootMs)
        wallMinusBootMs = arrival.wall.milliseconds.saturatingSubtracting(arrival.bootMs)
    }

    /// Producer time of a media time, without bending the clock.
    ///
    /// Held within 1970 and the year 9999, which Matroska and the textual form can write.
    package func producer(ofMediaMs mediaMs: Int64) -> Timestamp {
        let micros = Int128(mediaMs) * 1000 + Int128(offsetUs ?? 0)
        let rounded = (micros + 500) / 1000
        let held = min(max(rounded, 0), Int128(Timestamp.endOfTime.milliseconds - 1))
        return Timestamp(milliseconds: Int64(held))
    }

    /// Reads the clock where a fragment opens, bending or stepping it towards the estimate.
    ///
    /// - Parameter mediaMs: Presentation time of the fragment's first governing sample.
    /// - Returns: Producer time, what is known of its error, and whether it was stepped.
    package mutating func open(atMediaMs mediaMs: Int64) -> Reading {
        var isStep = false
        var errorMs: Int64 = 0
        if source == .arrival, let offset = offsetUs, estimator.isRealTime,
            let envelope = estimator.envelopeMs
        {
            let target = envelope.saturatingAdding(wallMinusBootMs).saturatingThousandfold
            let difference = target.saturatingSubtracting(offset)
            if difference.magnitude > UInt64(Self.stepMs * 1000) {
                offsetUs = target
                isStep = true
            } else {
                let elapsed = max(0, mediaMs.saturatingSubtracting(bentAtMs ?? mediaMs))
                let most = min(elapsed, Self.windowForBendMs) * Self.slewPPM / 1000
                let bend = min(max(difference, -most), most)
                offsetUs = offset.saturatingAdding(bend)
                errorMs = Int64(((difference - bend).magnitude + 500) / 1000)
            }
        }
        bentAtMs = mediaMs
        return Reading(
            producer: producer(ofMediaMs: mediaMs),
            errorMs: UInt32(clamping: errorMs),
            isStep: isStep
        )
    }

    /// Carries the clock over a jump of media time.
    ///
    /// A session in real time is anchored anew at its arrival, unless arrival agrees that the time
    /// really passed. For others, and where the producer named the start, a jump forward of up to an
    /// hour is a pause in the recording; anything else goes on where the last fragment ended.
    ///
    /// - Parameters:
    ///   - mediaMs: The first media time after the jump.
    ///   - endMs: Where the media time before the jump ended; `nil` when nothing was kept.
    ///   - arrival: When the first sample after the jump arrived.
    package mutating func jump(
        toMediaMs mediaMs: Int64,
        fromMediaMs endMs: Int64?,
        arrival: Arrival
    ) {
        bentAtMs = nil
        guard source != .absolute, let offset = offsetUs else { return }
        if source == .arrival, estimator.isRealTime {
            let now = Int128(arrival.wall.milliseconds) * 1000 - Int128(mediaMs) * 1000
            if (now - Int128(offset)).magnitude <= UInt128(Self.stepMs * 1000) { return }
            estimator.reset()
            anchor(mediaMs: mediaMs, at: arrival.wall)
            return
        }
        estimator.reset()
        guard let endMs else {
            anchor(mediaMs: mediaMs, at: start ?? arrival.wall)
            return
        }
        let pause = mediaMs.saturatingSubtracting(endMs)
        if pause >= 0, pause <= Self.plausiblePauseMs { return }
        anchor(mediaMs: mediaMs, at: producer(ofMediaMs: endMs))
    }

    /// The longest stretch whose bend is applied at once; keeps the products in range.
    private static let windowForBendMs: Int64 = 86_400_000

    private mutating func anchor(mediaMs: Int64, at producer: Timestamp) {
        offsetUs = producer.milliseconds.saturatingSubtracting(mediaMs).saturatingThousandfold
    }
}

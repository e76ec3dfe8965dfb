/// Decides when media is due that is to go out at its own speed, or a multiple of it.
///
/// Pure: the clock is handed in.
struct Pacer {
    /// How fast media goes out.
    enum Speed: Equatable {
        /// So many thousandths of the speed at which it was taken.
        case thousandths(Int64)
        /// As fast as it is taken in.
        case max
    }

    /// How fast media goes out.
    let speed: Speed

    /// A pause in the media longer than this is not waited for, in milliseconds.
    let pauseMillisecondsMax: Int64

    /// What of the media was due when on the clock.
    private var anchor: (media: Int64, clock: Int64)?
    private var newest: Int64?

    /// A pacer before the first sample.
    init(speed: Speed, pauseMillisecondsMax: Int64) {
        self.speed = speed
        self.pauseMillisecondsMax = pauseMillisecondsMax
    }

    /// How many milliseconds to wait before media goes out.
    ///
    /// Media out of order goes out at once, as does what is overdue. After a pause that is too long,
    /// or a step back of more than a second, time goes on from there.
    ///
    /// - Parameters:
    ///   - media: When the media belongs, in milliseconds on its own clock.
    ///   - clock: The time now, in milliseconds on a clock that does not jump.
    /// - Returns: Zero when it may go out at once.
    mutating func delay(for media: Int64, at clock: Int64) -> Int64 {
        guard case .thousandths(let speed) = speed, speed > 0 else { return 0 }
        guard let anchor, let newest else { return restart(media, clock) }
        let advance = media.subtractingReportingOverflow(newest)
        guard !advance.overflow, advance.partialValue <= pauseMillisecondsMax,
            advance.partialValue >= -1000
        else { return restart(media, clock) }
        self.newest = max(newest, media)
        let elapsed = Int128(media) - Int128(anchor.media)
        let due = Int128(anchor.clock) + elapsed * 1000 / Int128(speed)
        return Int64(clamping: max(0, due - Int128(clock)))
    }

    private mutating func restart(_ media: Int64, _ clock: Int64) -> Int64 {
        anchor = (media, clock)
        newest = media
        return 0
    }
}

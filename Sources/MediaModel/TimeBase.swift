/// The length of one tick as a fraction of a second, as in `1/90000`.
package struct TimeBase: Hashable, Sendable {
    /// Seconds per tick: numerator, at least 1.
    package let numerator: UInt32

    /// Seconds per tick: denominator, at least 1.
    package let denominator: UInt32

    /// A time base from outside.
    ///
    /// Gives `nil` when either part is zero.
    package init?(numerator: UInt32, denominator: UInt32) {
        guard numerator > 0, denominator > 0 else { return nil }
        self.numerator = numerator
        self.denominator = denominator
    }

    private init(trusted numerator: UInt32, _ denominator: UInt32) {
        self.numerator = numerator
        self.denominator = denominator
    }

    /// Ticks of one millisecond, Matroska's usual timecode (RFC 9559, 5.1.2.9).
    package static let milliseconds = TimeBase(trusted: 1, 1000)

    /// Ticks of 1/90000 s, the clock of MPEG-TS (ISO/IEC 13818-1, 2.4.2.6).
    package static let mpegTS = TimeBase(trusted: 1, 90_000)

    /// Ticks of one sample of audio.
    ///
    /// - Returns: `nil` for a rate of zero.
    package static func audio(sampleRate: UInt32) -> TimeBase? {
        TimeBase(numerator: 1, denominator: sampleRate)
    }

    /// The time base of a Matroska document: `TimecodeScale` nanoseconds per tick, reduced.
    ///
    /// Gives `nil` when the scale is zero or does not fit 32 bits after reduction.
    package static func matroska(nanosecondsPerTick scale: UInt64) -> TimeBase? {
        var (a, b): (UInt64, UInt64) = (scale, 1_000_000_000)
        while b != 0 { (a, b) = (b, a % b) }
        guard a > 0, let numerator = UInt32(exactly: scale / a) else { return nil }
        return TimeBase(numerator: numerator, denominator: UInt32(1_000_000_000 / a))
    }

    /// The same instant in ticks of another time base, rounded to the nearest tick (halves away
    /// from zero).
    ///
    /// Gives `nil` when the result does not fit 64 bits.
    package func rescale(_ ticks: Int64, to target: TimeBase) -> Int64? {
        if self == target { return ticks }
        let numerator = Int128(ticks) * Int128(self.numerator) * Int128(target.denominator)
        let denominator = Int128(self.denominator) * Int128(target.numerator)
        let half = denominator / 2
        let rounded = (numerator >= 0 ? numerator + half : numerator - half) / denominator
        return Int64(exactly: rounded)
    }

    /// The instant in whole milliseconds, rounded to the nearest.
    ///
    /// Gives `nil` when the result does not fit 64 bits.
    package func milliseconds(_ ticks: Int64) -> Int64? {
        rescale(ticks, to: .milliseconds)
    }
}

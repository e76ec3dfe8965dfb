/// Where the cutter ends fragments and how much it holds back (DESIGN section 6).
package struct CutterLimits: Sendable {
    /// The shortest fragment, in milliseconds of media time; a sync sample after it begins the next.
    package var minimumMs: Int64 = 1000

    /// The length of fragments without video, in milliseconds.
    package var withoutVideoMs: Int64 = 2000

    /// The length after which a group of pictures goes on in a dependent fragment, in milliseconds.
    package var maximumMs: Int64 = 20_000 { didSet { maximumMs = min(maximumMs, 32_000) } }

    /// The payload bytes after which a group of pictures goes on in a dependent fragment.
    package var maximumBytes = 50_000_000

    /// The samples after which a fragment ends likewise: bounds the sample table.
    package var maximumSamples = 65_536

    /// How much audio before the first sync sample goes into the first fragment, in milliseconds.
    package var preRollMs: Int64 = 5000

    /// How long the first fragment waits for the parameters of tracks that are announced, in
    /// milliseconds of media time.
    package var parametersMs: Int64 = 1000

    /// The most samples that are held back for a fragment to come.
    package var heldCountMax = 4096

    /// The most bytes that are held back for a fragment to come.
    package var heldBytesMax = 8 << 20

    /// What counts as a jump.
    package var times = TimeLimits()

    /// Limits with their defaults.
    package init() {}
}

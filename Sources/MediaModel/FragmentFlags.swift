/// Facts about a fragment that readers and players must know.
package struct FragmentFlags: OptionSet, Hashable, Sendable {
    package let rawValue: UInt32

    /// A set from its stored bits; unknown bits are kept.
    package init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// Media time does not continue from the fragment before it.
    package static let discontinuity = FragmentFlags(rawValue: 1 << 0)
    /// The producer was lost before the fragment ended; never acknowledged.
    package static let incomplete = FragmentFlags(rawValue: 1 << 1)
    /// Leading samples refer to pictures before the first sync sample.
    package static let openGOP = FragmentFlags(rawValue: 1 << 2)
    /// The fragment does not start with a sync sample of the governing track.
    package static let dependent = FragmentFlags(rawValue: 1 << 3)
    /// The producer sent tags with the fragment.
    package static let tags = FragmentFlags(rawValue: 1 << 4)
    /// A decode time had to be moved to keep decode times increasing.
    package static let dtsAdjusted = FragmentFlags(rawValue: 1 << 5)

    /// The flags' names in the API, in bit order.
    package var names: [String] {
        let all: [(FragmentFlags, String)] = [
            (.discontinuity, "discontinuity"), (.incomplete, "incomplete"),
            (.openGOP, "open-gop"), (.dependent, "dependent"), (.tags, "tags"),
            (.dtsAdjusted, "dts-adjusted"),
        ]
        return all.filter { contains($0.0) }.map(\.1)
    }
}

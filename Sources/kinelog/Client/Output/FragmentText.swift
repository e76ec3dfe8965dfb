import KinelogClient

/// Fragments as people read them, in columns of fixed width, so that a list can be written as it
/// arrives.
enum FragmentText {
    /// The names of the columns.
    static let heading = row(
        ["PRODUCER TIME", "DURATION", "SIZE", "FLAGS", "FRAGMENT NUMBER"]
    )

    /// One fragment.
    static func row(_ fragment: Fragment) -> String {
        row([
            fragment.producerTimestamp,
            HumanText.duration(milliseconds: fragment.durationMs),
            HumanText.bytes(fragment.sizeBytes),
            fragment.flags.isEmpty ? "-" : fragment.flags.joined(separator: ","),
            fragment.fragmentNumber,
        ])
    }

    private static func row(_ cells: [String]) -> String {
        let widths = [24, -9, -10, 8, 0]
        return zip(cells, widths).map { cell, width in
            let space = String(repeating: " ", count: max(0, abs(width) - cell.count))
            return width < 0 ? space + cell : cell + space
        }.joined(separator: "  ")
    }
}

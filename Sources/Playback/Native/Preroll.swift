import Matroska
import MediaModel
import NIOCore

/// How far blocks of a Cluster lie before its timecode.
///
/// Audio that arrives late is put into the open fragment with a negative block offset, and so are
/// the leading pictures of an open group of pictures. A document cannot begin with such a Cluster at
/// timecode zero: readers would lose the times of those blocks.
enum Preroll {
    /// Ticks of TimecodeScale from the earliest block to the Cluster's timecode; zero when none is
    /// before it.
    ///
    /// - Parameters:
    ///   - table: The fragment's samples.
    ///   - firstBlockOffset: Ticks from the Cluster's timecode to its first block.
    ///   - timecodeScale: Nanoseconds per tick, not zero.
    /// - Returns: At most 32 768.
    static func ticks(
        _ table: SampleTable,
        firstBlockOffset: Int16,
        timecodeScale: UInt64
    ) -> UInt64 {
        let timeBases = Dictionary(
            table.tracks.map { ($0.number, $0.timeBase) },
            uniquingKeysWith: { first, _ in first }
        )
        func nanoseconds(_ sample: SampleEntry) -> Int128? {
            guard let base = timeBases[sample.track] else { return nil }
            return Int128(sample.pts) * Int128(base.numerator) * 1_000_000_000
                / Int128(base.denominator)
        }
        guard let first = table.samples.first.flatMap(nanoseconds) else { return 0 }
        let earliest = table.samples.lazy.compactMap(nanoseconds).min() ?? first
        var ticks = Int128(firstBlockOffset)
        // Rounded up, because block offsets were rounded to ticks.
        ticks -= (first - earliest + Int128(timecodeScale) - 1) / Int128(timecodeScale)
        // No block lies further from its Cluster (RFC 9559, 10.1).
        return UInt64(min(max(0, -ticks), 32_768))
    }
}

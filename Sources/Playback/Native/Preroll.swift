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
    ///   - leading: Offsets of samples that do not count.
    ///   - timecodeScale: Nanoseconds per tick, not zero.
    /// - Returns: At most 32 768.
    static func ticks(
        _ table: SampleTable,
        firstBlockOffset: Int16,
        leading: [UInt64] = [],
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
        let isLeading = Set(leading)
        let earliest = table.samples.lazy.filter { !isLeading.contains($0.offset) }
            .compactMap(nanoseconds).min()
        var ticks = Int128(firstBlockOffset)
        // Rounded up, because block offsets were rounded to ticks.
        let scale = Int128(timecodeScale)
        ticks -= (first - (earliest ?? first) + scale - 1).flooredDivision(by: scale)
        // No block lies further from its Cluster (RFC 9559, 10.1).
        return UInt64(min(max(0, -ticks), 32_768))
    }

    /// Offsets of the samples that cannot be decoded when playback begins with the fragment: the
    /// leading pictures of an open group of pictures, which refer to the group before.
    ///
    /// - Parameters:
    ///   - table: The fragment's samples.
    ///   - governing: The first video track.
    /// - Returns: In the order of the Cluster; empty unless the fragment is flagged `open-gop`.
    static func leadingSamples(_ table: SampleTable, governing: UInt8?) -> [UInt64] {
        guard table.flags.contains(.openGOP), let governing,
            let first = table.samples.first(where: { $0.track == governing && $0.isSync })
        else { return [] }
        return table.samples.lazy.filter { $0.track == governing && $0.pts < first.pts }
            .map(\.offset)
    }
}

extension Int128 {
    fileprivate func flooredDivision(by divisor: Int128) -> Int128 {
        let quotient = self / divisor
        return self % divisor < 0 ? quotient - 1 : quotient
    }
}

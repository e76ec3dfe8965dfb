import Matroska
import MediaModel
import NIOCore

/// The time line of one native document, pure.
///
/// It says which instant the document's timecode zero stands for and where the fragments go.
struct DocumentTimeline: Sendable {
    let header: OutputHeader
    /// The instant of timecode zero, which the document's DateUTC names.
    let zero: Timestamp
    /// Capture time of the newest fragment in the document.
    private(set) var last: Timestamp

    /// A document that begins with a fragment.
    ///
    /// - Parameters:
    ///   - header: The fragment's header.
    ///   - producer: The fragment's producer timestamp.
    ///   - preroll: Ticks by which blocks of the fragment lie before its timecode. Matroska has no
    ///     times below zero, so that then timecode zero stands for an earlier instant.
    init(header: OutputHeader, producer: Timestamp, preroll: UInt64) {
        self.header = header
        let scaled = Int128(preroll) * Int128(header.document.timecodeScale)
        let milliseconds = Int64(clamping: (scaled + 999_999) / 1_000_000)
        zero = producer.advanced(byMilliseconds: -milliseconds)
        last = producer
    }

    /// A document that has begun.
    ///
    /// - Parameters:
    ///   - header: The header of its last fragment.
    ///   - zero: The instant of timecode zero.
    ///   - last: Capture time of its last fragment.
    init(header: OutputHeader, zero: Timestamp, last: Timestamp) {
        self.header = header
        self.zero = zero
        self.last = last
    }

    /// The timecode of a fragment that comes next, in ticks of TimecodeScale.
    ///
    /// - Returns: `nil` when the fragment needs a new document: time goes back, the timecode does
    ///   not fit, or the header is another.
    func timecode(for header: OutputHeader, producer: Timestamp) -> UInt64? {
        guard header.identity == self.header.identity, producer >= last else { return nil }
        return timecode(for: producer)
    }

    /// The fragment at an instant has been placed.
    mutating func placed(_ producer: Timestamp) { last = producer }

    /// The timecode of an instant; `nil` when it leaves no room for the blocks.
    func timecode(for producer: Timestamp) -> UInt64? {
        let milliseconds = Int128(producer.milliseconds) - Int128(zero.milliseconds)
        let scale = Int128(header.document.timecodeScale)
        let ticks = (milliseconds * 1_000_000 + scale / 2) / scale
        // Readers keep nanoseconds in 64 bits with a sign.
        guard ticks >= 0, ticks * scale <= Int128(Int64.max / 2) else { return nil }
        return UInt64(exactly: ticks)
    }
}

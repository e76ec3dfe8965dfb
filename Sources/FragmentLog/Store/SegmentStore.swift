import Catalog
import MediaModel
import NIOCore

/// Where log segments are kept: the one seam between the log and a volume.
///
/// Local files today (``LocalSegmentStore``); nothing above it knows paths or descriptors of log
/// segments. A log segment is two strings of bytes, its media (`.mkv`) and its index (`.idx`), which
/// grow together and are deleted together. Everything blocks.
///
/// Only `verify` and its repair look at the files themselves: they judge this very layout.
protocol SegmentStore: Sendable {
    /// Makes a log segment without fragments.
    ///
    /// Both strings, their headers and their names are durable when this returns.
    ///
    /// - Throws: `.diskFull`, `.ioError`; nothing is left behind then.
    func create(
        _ id: SegmentID,
        header: SegmentHeader,
        firstOrdinal: UInt64
    ) throws(LogError) -> any SegmentAppender

    /// The index of a log segment, for reading.
    ///
    /// - Throws: `.gone` when there is none, `.ioError`.
    func index(of id: SegmentID) throws(LogError) -> any SegmentBytes

    /// The media of a log segment, for reading.
    ///
    /// - Throws: `.gone` when there is none, `.ioError`.
    func media(of id: SegmentID) throws(LogError) -> any SegmentBytes

    /// Deletes log segments, whole or not; those that are not there count as deleted.
    ///
    /// Durable when this returns. Who holds the bytes of one goes on reading them.
    ///
    /// - Throws: What went wrong first; the others are deleted all the same.
    func delete(_ segments: [SegmentID]) throws(LogError)

    /// Brings a log segment into order that was being appended to when the last run ended.
    ///
    /// - Returns: What it holds; `nil` when that is nothing.
    /// - Throws: `.damaged` when something of it that was acknowledged cannot be found any more,
    ///   nothing was changed then, or when a sync failed; `.diskFull`, `.ioError` when it can be
    ///   tried again.
    func recover(_ segment: InterruptedSegment) throws(LogError) -> RecoveredSegment?

    /// At most so many fragments can be in a log segment whose index cannot be trusted.
    func fragmentCountBound(of id: SegmentID) -> UInt64

    /// All log segments of a stream of which anything is there, in number order.
    func segments(of stream: StreamID) throws(LogError) -> [SegmentID]

    /// Whether any fragment, whole or not, is in a log segment.
    func holdsFragments(_ id: SegmentID) throws(LogError) -> Bool

    /// Bytes that can still be written; `nil` when that cannot be told.
    var availableBytes: Int64? { get }
}

/// A string of bytes of a log segment that can be read anywhere, also after it was deleted.
protocol SegmentBytes: Sendable {
    /// What messages call it.
    var place: String { get }

    /// Bytes there are now.
    func size() throws(LogError) -> UInt64

    /// Reads up to `length` bytes at `offset`; fewer only at the end.
    func read(at offset: UInt64, length: Int) throws(LogError) -> ByteBuffer
}

/// The one log segment of a stream that is being appended to.
protocol SegmentAppender: Sendable {
    var id: SegmentID { get }
    var header: SegmentHeader { get }
    var firstOrdinal: UInt64 { get }
    /// Bytes of the media that hold the header and fragments with a record.
    var length: UInt64 { get }
    /// Bytes of the media that are known to be durable.
    var syncedLength: UInt64 { get }
    /// Fragments with a record.
    var count: Int { get }
    var firstRecord: FragmentRecord? { get }
    var lastRecord: FragmentRecord? { get }
    /// What the catalog says of the segment once it is closed; `nil` while it is empty.
    var extent: SegmentExtent? { get }

    /// Appends fragments in order: media → sync → records.
    ///
    /// - Parameters:
    ///   - fragments: Fragments put together for the offsets that follow ``length``.
    ///   - isSynced: Whether they are to be durable when this returns, not only written.
    /// - Returns: How far it came.
    mutating func append(_ fragments: [StoredBytes], isSynced: Bool) -> AppendOutcome

    /// Makes everything durable, at the end.
    func seal() throws(LogError)

    /// Makes the index durable after a failed sync of either string.
    ///
    /// What a failed sync left of it on the disk cannot be told, so it is written anew.
    func secureIndex() throws(LogError)

    /// Cuts off what lies behind the last fragment with a record.
    func cutTail() throws(LogError)
}

/// How far an append came.
struct AppendOutcome {
    /// Records of the fragments that were appended, in order: all, or the first ones.
    var records: [FragmentRecord] = []
    /// Why the others were not.
    var failure: LogError?
    /// Whether the bytes behind ``SegmentAppender/length`` cannot be told any more, so that nothing
    /// may be appended to the segment again.
    var isSuspect = false
}

/// What a start made of a log segment that was being appended to.
struct RecoveredSegment {
    var extent: SegmentExtent
    var newest: FragmentRecord
}

/// What a start knows of a log segment that was being appended to.
struct InterruptedSegment {
    var id: SegmentID
    /// For one whose sync failed: what of its media is known to be durable.
    var durableLength: UInt64?
    /// Whether an intact record proves that its fragment was synced.
    var trustsSyncs: Bool
    /// Whether the kernel kept running, so that its cache holds everything that was written.
    var isSameBoot: Bool
}

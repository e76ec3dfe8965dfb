package import MediaModel
package import NIOCore

/// Identifies a log segment: its stream and its first fragment.
package struct SegmentID: Hashable, Sendable, CustomStringConvertible {
    /// The stream the segment belongs to.
    package let stream: StreamID

    /// The number of its first fragment, which names its files.
    package let first: FragmentNumber

    package var description: String { "\(stream)/\(first)" }

    /// A log segment from its parts.
    package init(stream: StreamID, first: FragmentNumber) {
        self.stream = stream
        self.first = first
    }
}

/// Whose header a log segment carries.
package enum SegmentKind: Hashable, Sendable {
    /// Our own deterministic header.
    case own
    /// A PutMedia header as the producer sent it, ABSOLUTE timecodes.
    case putMedia
    /// The same with RELATIVE timecodes, which count from one session's start.
    case putMediaRelative(session: UInt64)

    /// The value stored in the index header and the catalog.
    var storedValue: UInt8 {
        switch self {
        case .own: 0
        case .putMedia: 1
        case .putMediaRelative: 2
        }
    }
}

/// What a log segment begins with, up to the first byte of its first fragment.
package struct SegmentHeader: Equatable, Sendable {
    /// EBML header, Segment of unknown size, Info, Tracks and whatever else the producer sent.
    package let bytes: ByteBuffer

    /// Whose header it is.
    package let kind: SegmentKind

    /// A header from its bytes.
    package init(bytes: ByteBuffer, kind: SegmentKind) {
        self.bytes = bytes
        self.kind = kind
    }
}

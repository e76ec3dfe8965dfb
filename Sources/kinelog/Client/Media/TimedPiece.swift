import NIOCore

/// A run of media bytes and when it belongs.
struct TimedPiece: Equatable, Sendable {
    /// The bytes.
    var bytes: ByteBuffer

    /// Whether a document begins with them.
    var startsDocument = false

    /// When their first sample is due, in milliseconds on the media's own clock; `nil` at once.
    var dueMilliseconds: Int64?

    /// Capture time of the document's start, in milliseconds since 1970, where its header says so.
    var documentMilliseconds: Int64?
}

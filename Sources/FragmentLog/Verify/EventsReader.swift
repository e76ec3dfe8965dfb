import Glibc
import NIOCore

/// Reads the whole of an `events.log`, over damaged stretches too.
///
/// Holds one window of the file, whatever its length.
struct EventsReader {
    enum Step: Equatable {
        /// An intact event and where it lies.
        case event(StreamEvent, offset: UInt64, length: UInt64)
        /// Bytes that are no event, with an intact event behind them.
        case damaged(offset: UInt64, length: UInt64)
        /// Bytes at the end of the file that are no whole event.
        case tail(offset: UInt64, length: UInt64)
        /// The end of the file.
        case end
    }

    private static let headLength: UInt64 = 8
    private static let windowLength = 256 << 10

    let file: OpenFile
    /// Bytes of the file that are read.
    let length: UInt64
    private(set) var offset: UInt64 = 0
    private var window = ByteBuffer()
    private var windowStart: UInt64 = 0

    init(file: OpenFile, length: UInt64) {
        self.file = file
        self.length = length
    }

    mutating func next() throws(LogError) -> Step {
        if offset >= length { return .end }
        let start = offset
        if let (event, size) = try event(at: start) {
            offset = start + size
            return .event(event, offset: start, length: size)
        }
        guard let found = try nextEvent(after: start) else {
            offset = length
            return .tail(offset: start, length: length - start)
        }
        offset = found
        return .damaged(offset: start, length: found - start)
    }

    /// Where the next intact event begins.
    private mutating func nextEvent(after start: UInt64) throws(LogError) -> UInt64? {
        // Usually only the body was changed, and the length tells where the next one is.
        if let size = try bytes(at: start, 4).flatMap({ size(of: $0) }),
            try event(at: start + Self.headLength + size) != nil
        {
            return start + Self.headLength + size
        }
        var candidate = start + 1
        while candidate + Self.headLength < length {
            // Every event is a JSON object.
            let first = try bytes(at: candidate + Self.headLength, 1)?.readableBytesView.first
            if first == UInt8(ascii: "{"), try event(at: candidate) != nil { return candidate }
            candidate += 1
        }
        return nil
    }

    private mutating func event(at start: UInt64) throws(LogError) -> (StreamEvent, UInt64)? {
        guard let size = try bytes(at: start, 4).flatMap({ size(of: $0) }),
            let whole = try bytes(at: start, Int(Self.headLength + size))
        else { return nil }
        let (events, length) = EventsFile.decode(whole)
        guard let event = events.first, length == whole.readableBytes else { return nil }
        return (event, UInt64(length))
    }

    private func size(of head: ByteBuffer) -> UInt64? {
        head.getInteger(at: head.readerIndex, endianness: .little, as: UInt32.self)
            .flatMap { $0 <= EventsFile.eventBytesMax ? UInt64($0) : nil }
    }

    /// Exactly so many bytes; `nil` when the file ends before.
    private mutating func bytes(at start: UInt64, _ count: Int) throws(LogError) -> ByteBuffer? {
        guard start <= length, UInt64(count) <= length - start else { return nil }
        if start < windowStart
            || start + UInt64(count) > windowStart + UInt64(window.readableBytes)
        {
            window = try file.read(
                at: start,
                length: Int(min(UInt64(max(count, Self.windowLength)), length - start))
            )
            windowStart = start
        }
        return window.getSlice(
            at: window.readerIndex + Int(start - windowStart),
            length: count
        )
    }
}

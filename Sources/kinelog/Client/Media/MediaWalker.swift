import NIOCore

/// Follows the clock of whichever container the media is in.
enum MediaWalker {
    case matroska(MatroskaWalker)
    case transportStream(TransportWalker)

    /// A walker for media that begins with these bytes; they have yet to be fed.
    ///
    /// - Throws: ``CommandError`` when no clock of it can be followed.
    init(_ first: ByteBuffer) throws(CommandError) {
        switch MediaKind(first) {
        case .matroska: self = .matroska(MatroskaWalker())
        case .transportStream: self = .transportStream(TransportWalker())
        case .progressiveMP4, .other:
            throw CommandError(
                "Only MPEG-TS and Matroska can be sent in real time; leave out --realtime, or convert first: ffmpeg -re -i INPUT -c copy -f matroska - | kinelog push NAME -"
            )
        }
    }

    /// Takes the next bytes and gives the pieces that they complete.
    ///
    /// - Throws: ``CommandError`` when the media is damaged.
    mutating func feed(_ bytes: ByteBuffer) throws(CommandError) -> [TimedPiece] {
        switch self {
        case .matroska(var walker):
            let pieces = try walker.feed(bytes)
            self = .matroska(walker)
            return pieces
        case .transportStream(var walker):
            let pieces = try walker.feed(bytes)
            self = .transportStream(walker)
            return pieces
        }
    }

    /// Ends the input and gives what was held back.
    mutating func finish() -> [TimedPiece] {
        switch self {
        case .matroska(var walker): return walker.finish()
        case .transportStream(var walker): return walker.finish()
        }
    }
}

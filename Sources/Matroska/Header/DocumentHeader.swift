package import MediaModel
package import NIOCore

/// The part of a Matroska document before its first Cluster: what a log segment begins with.
package struct DocumentHeader: Equatable, Sendable {
    /// The header as it is kept and served: as sent, with the Segment's size unknown in eight
    /// bytes.
    package var bytes: ByteBuffer

    /// `matroska` or `webm`.
    package var docType: String

    /// Nanoseconds per tick of every timecode; not zero (RFC 9559, 5.1.2.9).
    package var timecodeScale: UInt64

    /// The instant that timecode zero stands for, where Info has one (RFC 9559, 5.1.2.11).
    package var dateUTC: Timestamp?

    /// The tracks in the order of the header, in ticks of `timecodeScale`.
    package var tracks: [Track]

    /// Numbers of the tracks with ContentEncodings (compressed or encrypted frames), which
    /// playback must refuse: their bytes are not the codec's (RFC 9559, 5.1.4.1.31).
    package var encodedTracks: [UInt8]

    /// The tags before the first Cluster, nested ones in the order they stand.
    package var tags: [TagItem]

    /// Ticks of every timecode.
    package var timeBase: TimeBase {
        TimeBase.matroska(nanosecondsPerTick: timecodeScale) ?? .milliseconds
    }

    /// Reads a stored header: exactly its bytes, or those and what follows them.
    ///
    /// Where fragments follow, their leading Tags count as header tags; give exactly the header
    /// (see ``StoredHeader``) where that matters.
    ///
    /// - Throws: ``MatroskaError`` when the bytes hold no complete header.
    package static func parse(_ bytes: ByteBuffer) throws(MatroskaError) -> DocumentHeader {
        var parser = MatroskaParser(limits: .stored)
        var events: [MatroskaParser.Event] = []
        do {
            try parser.consume(bytes, into: &events)
            try parser.finish(into: &events)
        } catch {
            // What comes after the header may well be cut off.
            guard case .header(let header) = events.first else { throw error }
            return header
        }
        guard case .header(let header) = events.first else {
            throw MatroskaError(
                .truncated,
                "A header of \(bytes.readableBytes) bytes has no Tracks.",
                at: Int64(bytes.readableBytes)
            )
        }
        return header
    }
}

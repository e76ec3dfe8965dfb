import Matroska
import MediaModel
import NIOCore

/// Looks for fragments in a log segment without an index, or behind a damaged stretch.
///
/// Blocks.
struct FragmentSearch {
    let media: OpenFile

    /// Where in a fragment the name of its sample table stands.
    private static let nameOffset: UInt64 = 32
    private static let pieceLength = 1 << 20

    init(media: OpenFile) {
        self.media = media
    }

    /// The offset of the first whole fragment at or behind `start`.
    mutating func next(from start: UInt64) throws(LogError) -> UInt64? {
        let name = Array(TagItem.samplesName.utf8)
        var position = start
        while true {
            let piece = try media.read(at: position, length: Self.pieceLength)
            var rest = piece.readableBytesView[...]
            while let found = rest.firstRange(of: name) {
                let at = position + UInt64(found.lowerBound - piece.readerIndex)
                if at >= Self.nameOffset + start,
                    try fragment(at: at - Self.nameOffset) != nil
                {
                    return at - Self.nameOffset
                }
                rest = rest[found.upperBound...]
            }
            if piece.readableBytes < Self.pieceLength { return nil }
            position += UInt64(piece.readableBytes - name.count)
        }
    }

    /// The whole fragment that begins at an offset.
    mutating func fragment(at offset: UInt64) throws(LogError) -> StoredFragment? {
        var scanner = StoredFragmentScanner(offset: Int64(clamping: offset))
        do {
            let media = media
            let step = try scanner.next { (offset, length) throws(LogError) in
                try media.read(at: UInt64(max(0, offset)), length: length)
            }
            guard case .fragment(let fragment) = step else { return nil }
            return fragment
        } catch let error as LogError {
            throw error
        } catch {
            throw LogError(.ioError, "Scanning \(media.path) failed.", cause: error)
        }
    }

    /// The Timecode with which a fragment's Cluster begins, as it was sent.
    func timecode(of fragment: StoredFragment) throws(LogError) -> UInt64? {
        var bytes = try media.read(
            at: UInt64(fragment.clusterOffset) + UInt64(ClusterWriter.prefixLength),
            length: 10
        )
        // Timecode (RFC 9559, 5.1.3.1) with a size of one byte.
        guard bytes.readInteger(as: UInt8.self) == 0xE7,
            let size = bytes.readInteger(as: UInt8.self), (0x80...0x88).contains(size)
        else { return nil }
        var value: UInt64 = 0
        for _ in 0..<(size - 0x80) {
            guard let byte = bytes.readInteger(as: UInt8.self) else { return nil }
            value = value << 8 | UInt64(byte)
        }
        return value
    }
}

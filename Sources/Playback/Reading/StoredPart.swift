import FragmentLog
import NIOCore

/// Reads a stretch of a stored fragment piece by piece.
struct StoredPart: Sendable {
    private let reader: FragmentReader
    private var offset: UInt64
    private var remaining: UInt64

    /// - Parameters:
    ///   - reader: The fragment.
    ///   - offset: Counted from the first byte of the stored fragment.
    ///   - length: How many bytes.
    init(_ reader: FragmentReader, at offset: UInt64, length: UInt64) {
        self.reader = reader
        self.offset = offset
        remaining = length
    }

    /// A named part of the fragment.
    init(_ reader: FragmentReader, _ part: FragmentPart) {
        let extent = reader.record.extent(of: part)
        self.init(reader, at: extent.offset - reader.record.offset, length: extent.length)
    }

    /// The next piece; `nil` after the last.
    mutating func next() async throws(PlaybackError) -> ByteBuffer? {
        guard remaining > 0 else { return nil }
        let length = Int(min(remaining, UInt64(Pieces.lengthMax)))
        do throws(LogError) {
            let bytes = try await reader.read(at: offset, length: length)
            offset += UInt64(length)
            remaining -= UInt64(length)
            return bytes
        } catch {
            throw PlaybackError(error)
        }
    }
}

extension FragmentReader {
    /// The producer's tags of one side, without reserved names.
    func producerTags(_ part: FragmentPart) async throws(PlaybackError) -> ByteBuffer {
        let extent = record.extent(of: part)
        guard extent.length > 0 else { return ByteBuffer() }
        guard extent.length <= UInt64(ProducerTags.lengthMax) else {
            throw PlaybackError(
                .unsupported,
                "The tags of fragment \(record.number) take \(extent.length) bytes where \(ProducerTags.lengthMax) can be given out."
            )
        }
        do throws(LogError) {
            return ProducerTags.withoutReservedNames(
                try await read(at: extent.offset - record.offset, length: Int(extent.length))
            )
        } catch {
            throw PlaybackError(error)
        }
    }
}

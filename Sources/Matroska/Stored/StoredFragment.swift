package import MediaModel
package import NIOCore

/// What a stored fragment consists of, and where.
///
/// ```
/// Tags{KINELOG_SAMPLES} · Tags{server tags} · producer Tags · Cluster · producer Tags
/// ```
package struct StoredFragment: Equatable, Sendable {
    /// The fragment's identity, from the server tags.
    package var number: FragmentNumber

    /// The sample table; both timestamps are those of the server tags as well.
    package var table: SampleTable

    /// Where the fragment begins in its log segment.
    package var offset: Int64

    /// Bytes of `Tags{KINELOG_SAMPLES}`.
    package var samplesTagsLength: Int64

    /// Bytes of `Tags{server tags}`.
    package var serverTagsLength: Int64

    /// CRC-32 of all the fragment's bytes.
    package var fragmentCRC: UInt32

    /// Bytes of the producer's Tags before the Cluster.
    package var tagsBeforeLength: Int64 { Int64(clamping: table.tagsBeforeLength) }

    /// Bytes of the Cluster element.
    package var clusterLength: Int64 { Int64(clamping: table.clusterLength) }

    /// Bytes of the producer's Tags after the Cluster.
    package var tagsAfterLength: Int64 { Int64(clamping: table.tagsAfterLength) }

    /// Where the server tags begin in the log segment: what GetMedia serves from (KVS 3.3).
    package var serverTagsOffset: Int64 { offset + samplesTagsLength }

    /// Where the producer's Tags before the Cluster begin in the log segment.
    package var tagsBeforeOffset: Int64 { serverTagsOffset + serverTagsLength }

    /// Where the Cluster begins in the log segment.
    package var clusterOffset: Int64 { tagsBeforeOffset + tagsBeforeLength }

    /// Where the producer's Tags after the Cluster begin in the log segment.
    package var tagsAfterOffset: Int64 { clusterOffset + clusterLength }

    /// Bytes of the whole fragment.
    package var length: Int64 { tagsAfterOffset + tagsAfterLength - offset }

    /// Reads the bytes of one stored fragment and checks every CRC-32 in it.
    ///
    /// - Parameter bytes: Exactly the bytes of the fragment.
    /// - Returns: The fragment at offset zero.
    /// - Throws: `.truncated`, `.invalidData`, `.invalidTable` or `.checksumMismatch`; the byte
    ///   offset counts within the fragment.
    package static func parse(_ bytes: ByteBuffer) throws(MatroskaError) -> StoredFragment {
        var scanner = StoredFragmentScanner(offset: 0)
        switch try scanner.next(in: bytes) {
        case .fragment(let fragment) where fragment.length == Int64(bytes.readableBytes):
            return fragment
        case .torn(_, let error):
            throw error
        default:
            throw MatroskaError(
                .invalidData,
                "\(bytes.readableBytes) bytes were expected to be exactly one stored fragment.",
                at: scanner.offset
            )
        }
    }
}

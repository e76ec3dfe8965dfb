import FragmentLog
import Matroska
import NIOCore

/// A fragment that is still arriving on its way into a GetMedia document.
struct KVSLiveFragment: Sendable {
    /// What a look at the fragment gives.
    enum Arrival: Sendable {
        /// The next bytes of the Cluster's children.
        case bytes(ByteBuffer)
        /// The last of them.
        case end(ByteBuffer)
        /// The fragment will not become complete.
        case lost
        /// Nothing came for too long.
        case silence
    }

    let fragment: OpenFragment
    /// Bytes of the Cluster's children read so far.
    private var offset = 0

    init(_ fragment: OpenFragment) {
        self.fragment = fragment
    }

    /// What comes between the header and the Cluster's children.
    var start: ByteBuffer {
        var bytes = TagsWriter.server(
            number: fragment.number,
            serverTimestamp: fragment.server,
            producerTimestamp: fragment.opening.producer
        )
        bytes.writeImmutableBuffer(
            ProducerTags.withoutReservedNames(fragment.opening.tagsBefore)
        )
        bytes.writeImmutableBuffer(ClusterWriter.unknownSizeHead)
        return bytes
    }

    /// The producer's tags after the Cluster, once it has ended.
    var tagsAfter: ByteBuffer { ProducerTags.withoutReservedNames(fragment.tagsAfter) }

    /// Waits for the next bytes.
    ///
    /// - Throws: `.ioError`, `.cancelled`. A fragment that was deleted meanwhile counts as lost.
    mutating func next(_ silence: SilenceLimit) async throws(PlaybackError) -> Arrival {
        let (fragment, offset) = (fragment, offset)
        let live: OpenFragment.LiveBytes?
        do throws(LogError) {
            if fragment.childrenLength > offset {
                live = try await fragment.read(from: offset, atMost: Pieces.lengthMax)
            } else {
                live = try await silence.wait { () async throws(LogError) in
                    try await fragment.read(from: offset, atMost: Pieces.lengthMax)
                }
            }
        } catch {
            if PlaybackError(error).isLoss { return .lost }
            throw PlaybackError(error)
        }
        guard let live else { return .silence }
        self.offset += live.bytes.readableBytes
        switch live.state {
        case .open: return .bytes(live.bytes)
        case .finished where self.offset < live.childrenLength: return .bytes(live.bytes)
        case .finished: return .end(live.bytes)
        case .incomplete, .failed: return .lost
        }
    }
}

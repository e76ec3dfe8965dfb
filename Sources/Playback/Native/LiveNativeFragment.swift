import FragmentLog
import Matroska
import MediaModel
import NIOCore

/// A fragment that is still arriving on its way into a native document.
struct LiveNativeFragment: Sendable {
    let fragment: OpenFragment
    private var start: ByteBuffer
    private var offset: Int
    private var children = ClusterChildren()

    /// The most bytes before the Timecode of a Cluster.
    private static let startLengthMax = 64 << 10

    /// Waits until the Timecode has come.
    ///
    /// - Returns: `nil` when the fragment ended before that.
    /// - Throws: `.gone`, `.unsupported`, `.ioError`, `.cancelled`.
    init?(_ fragment: OpenFragment) async throws(PlaybackError) {
        self.fragment = fragment
        start = ClusterWriter.unknownSizeHead
        offset = 0
        while true {
            do throws(MatroskaError) {
                _ = try ClusterRewriter.rewrite(start, timecode: 0)
                return
            } catch {
                guard error.code == .truncated, start.readableBytes < Self.startLengthMax else {
                    throw PlaybackError(
                        .unsupported,
                        "The Cluster of fragment \(fragment.number) has no Timecode in its first \(start.readableBytes) bytes and cannot be moved in time.",
                        cause: error
                    )
                }
            }
            let live: OpenFragment.LiveBytes
            do throws(LogError) {
                live = try await fragment.read(from: offset, atMost: Self.startLengthMax)
            } catch {
                // Nothing of it has been given out yet.
                if PlaybackError(error).isLoss { return nil }
                throw PlaybackError(error)
            }
            guard live.bytes.readableBytes > 0 else { return nil }
            offset += live.bytes.readableBytes
            start.writeImmutableBuffer(live.bytes)
        }
    }

    /// Puts what comes first into the output.
    ///
    /// - Parameters:
    ///   - timecode: The Cluster's timecode in the document.
    ///   - isFirst: Whether the document begins here, so that blocks from before it have no place.
    ///   - output: Where to.
    /// - Throws: `.damaged` when what has come is no Cluster.
    mutating func begin(
        timecode: UInt64,
        isFirst: Bool,
        _ output: inout OutputQueue
    ) throws(PlaybackError) {
        output.append(ProducerTags.withoutReservedNames(fragment.opening.tagsBefore))
        let prefix: ClusterRewriter.Prefix
        do throws(MatroskaError) {
            prefix = try ClusterRewriter.rewrite(start, timecode: timecode)
        } catch {
            throw PlaybackError(error, reading: "The Cluster of fragment \(fragment.number)")
        }
        output.append(prefix.replacement)
        start.moveReaderIndex(forwardBy: prefix.replacedLength)
        if isFirst {
            children = ClusterChildren(dropping: .before(ticks: Int(clamping: timecode)))
        }
        output.append(try children.take(start))
        start = ByteBuffer()
    }

    /// Puts the next bytes into the output as soon as there are any; false at the fragment's end.
    ///
    /// - Throws: When the fragment is lost in the middle of a block: the document cannot go on.
    mutating func proceed(_ output: inout OutputQueue) async throws(PlaybackError) -> Bool {
        let live: OpenFragment.LiveBytes
        do throws(LogError) {
            live = try await fragment.read(from: offset, atMost: Pieces.lengthMax)
        } catch {
            // Retention, a deletion or the end of the server was faster than this reader.
            if PlaybackError(error).isLoss, children.isBetweenChildren { return false }
            throw PlaybackError(error)
        }
        offset += live.bytes.readableBytes
        output.append(try children.take(live.bytes))
        switch live.state {
        case .open:
            return true
        case .finished, .incomplete:
            if offset < live.childrenLength { return true }
            output.append(ProducerTags.withoutReservedNames(fragment.tagsAfter))
            return false
        case .failed(let error):
            if children.isBetweenChildren { return false }
            throw PlaybackError(error)
        }
    }
}

import FragmentLog
import Matroska
import MediaModel
import NIOCore

/// A stored fragment on its way into a native document: checked, and read up to its first piece.
struct StoredNativeFragment: Sendable {
    let record: FragmentRecord
    let header: SegmentHeader
    private let reader: FragmentReader
    private let tagsBefore: ByteBuffer
    private let tagsAfter: ByteBuffer
    private var clusterStart: ByteBuffer
    private var cluster: StoredPart

    /// Opens the fragment; from here on it stays readable, also when it is deleted meanwhile.
    ///
    /// - Throws: `.gone`, `.damaged`, `.ioError`, `.cancelled`.
    init(_ record: FragmentRecord, of stream: StreamLog) async throws(PlaybackError) {
        self.record = record
        do throws(LogError) {
            reader = try await stream.open(record)
            header = try await stream.header(of: record)
        } catch {
            throw PlaybackError(error)
        }
        tagsBefore = try await reader.producerTags(.tagsBefore)
        tagsAfter = try await reader.producerTags(.tagsAfter)
        cluster = StoredPart(reader, .cluster)
        clusterStart = try await cluster.next() ?? ByteBuffer()
    }

    /// Ticks by which the fragment's blocks begin before its timecode.
    func preroll(timecodeScale: UInt64) async throws(PlaybackError) -> UInt64 {
        guard let offset = ClusterChildren.firstBlockOffset(inCluster: clusterStart) else {
            return 0
        }
        let extent = record.extent(of: .samples)
        let tags: ByteBuffer
        do throws(LogError) {
            tags = try await reader.read(at: 0, length: Int(extent.length))
        } catch {
            throw PlaybackError(error)
        }
        do throws(MatroskaError) {
            return Preroll.ticks(
                try SampleTable(tags: tags),
                firstBlockOffset: offset,
                timecodeScale: timecodeScale
            )
        } catch {
            throw PlaybackError(error, reading: "The sample table of fragment \(record.number)")
        }
    }

    /// Puts what comes first into the output.
    ///
    /// - Parameters:
    ///   - timecode: The Cluster's timecode in the document.
    ///   - output: Where to.
    /// - Throws: `.unsupported` for a Cluster whose Timecode is too far from its start.
    mutating func begin(timecode: UInt64, _ output: inout OutputQueue) throws(PlaybackError) {
        let prefix: ClusterRewriter.Prefix
        do throws(MatroskaError) {
            prefix = try ClusterRewriter.rewrite(clusterStart, timecode: timecode)
        } catch {
            throw PlaybackError(
                .unsupported,
                "The Cluster of fragment \(record.number) has no Timecode in its first \(clusterStart.readableBytes) bytes and cannot be moved in time; fetch it with GetMedia.",
                cause: error
            )
        }
        output.append(tagsBefore)
        output.append(prefix.replacement)
        clusterStart.moveReaderIndex(forwardBy: prefix.replacedLength)
        output.append(clusterStart)
        clusterStart = ByteBuffer()
    }

    /// Puts the next piece into the output; false after the last.
    mutating func proceed(_ output: inout OutputQueue) async throws(PlaybackError) -> Bool {
        if let piece = try await cluster.next() {
            output.append(piece)
            return true
        }
        output.append(tagsAfter)
        return false
    }
}

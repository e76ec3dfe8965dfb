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
    /// Samples left out of this document.
    private var leading: [UInt64] = []
    private var children: ClusterChildren?

    /// Opens the fragment; from here on it stays readable, also when it is deleted meanwhile.
    ///
    /// - Parameters:
    ///   - record: The fragment.
    ///   - stream: Its stream.
    ///   - known: The header of its log segment, where that was read before.
    /// - Throws: `.gone`, `.damaged`, `.ioError`, `.cancelled`.
    init(
        _ record: FragmentRecord,
        of stream: StreamLog,
        header known: SegmentHeader?
    ) async throws(PlaybackError) {
        self.record = record
        do throws(LogError) {
            reader = try await stream.open(record)
            if let known { header = known } else { header = try await stream.header(of: record) }
        } catch {
            throw PlaybackError(error)
        }
        tagsBefore = try await reader.producerTags(.tagsBefore)
        tagsAfter = try await reader.producerTags(.tagsAfter)
        cluster = StoredPart(reader, .cluster)
        clusterStart = try await cluster.next() ?? ByteBuffer()
    }

    /// Makes the fragment the first of a document: leading pictures that cannot be decoded without
    /// the fragment before are left out.
    ///
    /// - Parameter header: The fragment's header.
    /// - Returns: Ticks by which the fragment's blocks begin before its timecode.
    /// - Throws: `.damaged`, `.ioError`.
    mutating func becomeFirst(under header: OutputHeader) async throws(PlaybackError) -> UInt64 {
        guard let offset = ClusterChildren.firstBlockOffset(inCluster: clusterStart) else {
            return 0
        }
        let extent = record.extent(of: .samples)
        do {
            let table = try SampleTable(
                tags: try await reader.read(at: 0, length: Int(extent.length))
            )
            leading = Preroll.leadingSamples(
                table,
                governing: header.document.tracks.first { $0.kind == .video }?.number
            )
            return Preroll.ticks(
                table,
                firstBlockOffset: offset,
                leading: leading,
                timecodeScale: header.document.timecodeScale
            )
        } catch let error as LogError {
            throw PlaybackError(error)
        } catch {
            throw PlaybackError(
                .damaged,
                "The sample table of fragment \(record.number) cannot be read; run 'kinelog verify --repair'.",
                cause: error
            )
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
        clusterStart.moveReaderIndex(forwardBy: prefix.replacedLength)
        if leading.isEmpty {
            output.append(prefix.replacement)
            output.append(clusterStart)
        } else {
            // Without them the Cluster's size is not known beforehand.
            output.append(ClusterWriter.unknownSizeHead)
            output.append(
                prefix.replacement.getSlice(
                    at: prefix.replacement.readerIndex + ClusterWriter.headLength,
                    length: prefix.replacement.readableBytes - ClusterWriter.headLength
                ) ?? ByteBuffer()
            )
            var children = ClusterChildren(
                dropping: .holding(leading[...]),
                from: UInt64(prefix.replacedLength - ClusterWriter.headLength)
            )
            output.append(try children.take(clusterStart))
            self.children = children
        }
        clusterStart = ByteBuffer()
    }

    /// Puts the next piece into the output; false after the last.
    mutating func proceed(_ output: inout OutputQueue) async throws(PlaybackError) -> Bool {
        if let piece = try await cluster.next() {
            output.append(try children?.take(piece) ?? piece)
            return true
        }
        output.append(tagsAfter)
        return false
    }
}

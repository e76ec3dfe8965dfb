import Matroska
import MediaModel
import NIOCore
import TestSupport

/// A Matroska document read back strictly: it must end between two elements.
struct ReadDocument {
    struct Cluster {
        var timecode: UInt64
        /// Ticks of each block on the document's time line.
        var times: [Int64] = []
        var children: [ByteBuffer] = []
        /// Tags between this Cluster and the next.
        var tags = ByteBuffer()
    }

    let bytes: ByteBuffer
    let header: DocumentHeader
    var clusters: [Cluster] = []

    init(_ bytes: ByteBuffer) throws {
        self.bytes = bytes
        var parser = MatroskaParser()
        var events: [MatroskaParser.Event] = []
        try parser.consume(bytes, into: &events)
        try parser.finish(into: &events)
        guard case .header(let header) = events.first else {
            throw SourceDocument.Unreadable(what: "no header")
        }
        self.header = header
        for event in events {
            switch event {
            case .timecode(let timecode): clusters.append(Cluster(timecode: timecode))
            case .child(let bytes, let samples):
                clusters[clusters.count - 1].children.append(bytes)
                clusters[clusters.count - 1].times += samples.map(\.timecode)
            case .tags(let raw, _): clusters[clusters.count - 1].tags.writeImmutableBuffer(raw)
            case .header, .clusterStart, .clusterEnd: break
            }
        }
    }

    /// The documents of some output, one after another.
    static func all(in output: ByteBuffer) throws -> [ReadDocument] {
        try documents(output).map { try ReadDocument($0) }
    }

    /// What a GetMedia client takes for the fragment's metadata.
    func tag(_ name: String) -> String? {
        header.tags.last { $0.name == name }?.value
    }

    /// Tags after the Cluster.
    func trailingTags() throws -> [TagItem] {
        try clusters.last.map { try TagItem.items(in: $0.tags) } ?? []
    }
}

import Matroska
import NIOCore
import TestSupport

/// A sample file as a PutMedia producer would send it: one Cluster per group of pictures.
struct SourceDocument: Sendable {
    struct Cluster: Sendable {
        var timecode: UInt64
        var children: [(bytes: ByteBuffer, samples: [BlockSample])] = []
        var tagsAfter = ByteBuffer()
    }

    /// The whole file as it was made.
    let file: ByteBuffer
    let header: DocumentHeader
    var clusters: [Cluster]

    /// The start of the sample files' producers: 2026-11-21T10:00:00Z.
    static let start: Int64 = 1_795_255_200_000

    static let bunny = Task { try await SourceDocument(.bunny2sGOP, absolute: true) }
    static let bunnyRelative = Task { try await SourceDocument(.bunny2sGOP, absolute: false) }
    static let visitor = Task { try await SourceDocument(.visitor, absolute: true) }

    /// Two seconds in two groups of pictures, the second an open one.
    static let openGOP = Task {
        try await SourceDocument(
            file: Program.succeed(
                [
                    "ffmpeg", "-v", "error", "-nostdin", "-f", "lavfi", "-i",
                    "testsrc=s=160x90:r=25:d=1.92", "-c:v", "libx264", "-preset", "ultrafast",
                    "-pix_fmt", "yuv420p", "-x264-params",
                    "open-gop=1:bframes=2:b-adapt=0:keyint=24:min-keyint=24:scenecut=0",
                    "-output_ts_offset", String(start / 1000), "-cluster_time_limit", "100000",
                    "-cluster_size_limit", "100000000", "-f", "matroska", "pipe:1",
                ]
            )
        )
    }

    /// The Clusters' timecodes in native output that begins with the first of them.
    func outputTimecodes(_ indices: [Int], first: UInt64 = 21) -> [UInt64] {
        indices.map { clusters[$0].timecode - clusters[indices[0]].timecode + first }
    }

    init(_ media: SampleMedia, absolute: Bool) async throws {
        try await self.init(
            file: Program.succeed(
                ["ffmpeg", "-v", "error", "-nostdin", "-i", media.path, "-map", "0", "-c", "copy"]
                    + (absolute ? ["-output_ts_offset", String(Self.start / 1000)] : [])
                    + [
                        "-cluster_time_limit", "100000", "-cluster_size_limit", "100000000", "-f",
                        "matroska", "pipe:1",
                    ]
            )
        )
    }

    init(file: ByteBuffer) throws {
        self.file = file
        var parser = MatroskaParser()
        var events: [MatroskaParser.Event] = []
        try parser.consume(file, into: &events)
        try parser.finish(into: &events)
        var header: DocumentHeader?
        clusters = []
        for event in events {
            switch event {
            case .header(let found): header = found
            case .timecode(let timecode): clusters.append(Cluster(timecode: timecode))
            case .child(let bytes, let samples):
                clusters[clusters.count - 1].children.append((bytes, samples))
            case .tags(let raw, _): clusters[clusters.count - 1].tagsAfter.writeImmutableBuffer(raw)
            case .clusterStart, .clusterEnd: break
            }
        }
        guard let header else { throw Unreadable(what: "no header") }
        self.header = header
    }

    struct Unreadable: Error {
        var what: String
    }
}

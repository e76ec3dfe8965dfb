import NIOCore
import TestSupport

/// Real media in the containers that producers send.
enum Footage {
    /// A file of `SampleMedia` remuxed, `loops` times over.
    static func remuxed(
        _ media: SampleMedia = .visitor,
        as format: String = "mpegts",
        loops: Int = 1,
        options: [String] = []
    ) async throws -> ByteBuffer {
        try await Program.succeed(
            [
                "ffmpeg", "-v", "error", "-stream_loop", "\(loops - 1)", "-i", media.path, "-c",
                "copy",
                "-f", format,
            ] + options + ["-"]
        )
    }

    /// Matroska with a Cluster per group of pictures, as KVS producers send it.
    static func clusters(_ media: SampleMedia = .visitor) async throws -> ByteBuffer {
        try await Program.succeed([
            "ffmpeg", "-v", "error", "-i", media.path, "-c", "copy", "-f", "matroska",
            "-cluster_time_limit", "30000", "-cluster_size_limit", "60000000", "-",
        ])
    }
}

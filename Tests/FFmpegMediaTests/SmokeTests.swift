import FFmpegMedia
import MediaModel
import NIOCore
import TestSupport
import Testing

struct SmokeTests {
    @Test(arguments: ["mpegts", "matroska", "flv"])
    func smoke(_ name: String) async throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("x")
        try await Program.succeed([
            "ffmpeg", "-v", "error", "-i", SampleMedia.bunny2sGOP.path, "-c", "copy", "-f", name,
            path,
        ])
        let bytes = try contents(ofFile: path)
        try await OwnThread.run {
            let format = try #require(InputFormat.sniff(bytes))
            let demuxer = try Demuxer(contents: bytes, format: format)
            for t in demuxer.tracks { print(t) }
            var n = 0
            var lines: [String] = []
            while let s = try demuxer.next() {
                if n < 12 || s.newCodecPrivate != nil { lines.append("\(s)") }
                n += 1
            }
            print(lines.joined(separator: "\n"));
            print(n, demuxer.droppedSampleCount, demuxer.skippedStreams)
        }
    }
}

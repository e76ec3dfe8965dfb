import FFmpegMedia
import NIOCore
import TestSupport
import Testing

struct SampleMediaTests {
    @Test(arguments: SampleMedia.all)
    func `the files are what the tables say`(media: SampleMedia) async throws {
        let readme = String(
            buffer: try contents(ofFile: "\(SampleMedia.packagePath)/SampleMedia/README.md")
        )
        let sum = String(buffer: try await Program.succeed(["sha256sum", media.path])).prefix(64)
        #expect(readme.contains("`\(sum)`"))
        #expect(readme.contains("`\(media.name)`"))
        #expect(readme.contains("\(media.videoSampleCount) / \(media.audioSampleCount)"))
        #expect(readme.contains("\(media.width) × \(media.height)"))

        let packets = try await ProbedPacket.list(media.path)
        #expect(packets[0]?.count == media.videoSampleCount)
        #expect(packets[1]?.count == media.audioSampleCount)
        let video = packets[0] ?? []
        #expect(video.indices.filter { video[$0].isSync } == media.syncSamples)
    }
}

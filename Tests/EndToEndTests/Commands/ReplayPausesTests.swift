import FoundationEssentials
import Glibc
import NIOCore
import TestSupport
import Testing

/// Replays that take longer than any request may.
@Suite struct ReplayPausesTests {
    /// Runs a command against a server and expects it to succeed.
    @discardableResult
    private func kinelog(_ server: ServerProcess, _ arguments: String...) async throws -> String {
        String(
            buffer: try await Program.succeed(
                [ServerProcess.executable] + arguments + ["--server", server.url]
            )
        )
    }

    private func push(
        _ footage: ByteBuffer,
        to stream: String,
        at seconds: Int,
        _ server: ServerProcess
    ) async throws {
        let answer = try await server.request(
            "PUT",
            "/v1/streams/\(stream)/media?startTimestamp=\(seconds * 1000)",
            body: footage
        )
        #expect(answer.status == 200, "\(answer.text)")
    }

    /// How many pictures a file has, each decoded without a complaint.
    private func pictures(_ path: String) async throws -> Int {
        let decoded = try await Program.succeed([
            "ffmpeg", "-v", "error", "-xerror", "-i", path, "-map", "0:v", "-f", "framecrc", "-",
        ])
        return String(buffer: decoded).split(separator: "\n").count { !$0.hasPrefix("#") }
    }

    @Test func `a file gets footage across a pause that no reader may make`() async throws {
        let directory = try TemporaryDirectory()
        let server = try await ServerProcess.start(directory.file("data"), "--reader-stall", "1s")
        try await push(try await Footage.remuxed(), to: "cam", at: 1000, server)
        // More than the kernel holds, so that a reader who waits keeps the server waiting.
        let long = try await Footage.remuxed(loops: 16)
        try await push(long, to: "cam", at: 2000, server)
        let (replayed, fetched) = (directory.file("replayed.mkv"), directory.file("fetched.mkv"))
        // A pause of a quarter of an hour takes two and a half seconds.
        try await kinelog(
            server,
            "replay",
            "cam",
            "--from",
            "0",
            "--until",
            "now",
            "--speed",
            "400",
            "--to",
            replayed
        )
        try await kinelog(server, "fetch", "cam", "--from", "0", "-o", fetched)
        #expect(try contents(ofFile: replayed) == contents(ofFile: fetched))
        #expect(try await pictures(replayed) == 17 * SampleMedia.visitor.videoSampleCount)
    }

    @Test func `another stream gets footage across a pause that no producer may make`() async throws
    {
        let directory = try TemporaryDirectory()
        let server = try await ServerProcess.start(directory.file("data"), "--push-idle", "4s")
        for start in [1000, 1700] {
            try await push(try await Footage.remuxed(), to: "cam", at: start, server)
        }
        // Almost seven seconds between the two.
        let output = try await kinelog(
            server,
            "replay",
            "cam",
            "--from",
            "earliest",
            "--until",
            "now",
            "--speed",
            "100",
            "--keep-times",
            "--to",
            "stream:again",
            "--json"
        )
        let receipts = output.split(separator: "\n").filter { $0.contains(#""gaps":[]"#) }
        #expect(receipts.count == 2, "\(output)")
        let timeline = try await server.request("GET", "/v1/streams/again/timeline")
        for start in [1_000_000, 1_700_000] {
            #expect(timeline.text.contains("\"fromMs\":\(start),"), "\(timeline.text)")
        }
        #expect(timeline.text.contains(#""gaps":[]"#), "\(timeline.text)")
        let fetched = directory.file("again.mkv")
        try await kinelog(server, "fetch", "again", "--from", "0", "-o", fetched)
        #expect(try await pictures(fetched) == 2 * SampleMedia.visitor.videoSampleCount)
    }

    @Test func `open groups of pictures come out whole`() async throws {
        let directory = try TemporaryDirectory()
        let server = try await ServerProcess.start(directory.file("data"))
        let open = try await Program.succeed([
            "ffmpeg", "-v", "error", "-nostdin", "-f", "lavfi", "-i", "testsrc=s=160x90:r=25:d=8",
            "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-x264-params",
            "open-gop=1:bframes=2:b-adapt=0:keyint=50:min-keyint=50:scenecut=0", "-f", "mpegts",
            "-",
        ])
        try await push(open, to: "cam", at: 1000, server)
        let list = try await server.request("GET", "/v1/streams/cam/fragments")
        #expect(list.text.contains("open-gop"), "\(list.text)")
        let replayed = directory.file("replayed.mkv")
        try await kinelog(
            server,
            "replay",
            "cam",
            "--from",
            "0",
            "--until",
            "now",
            "--speed",
            "max",
            "--to",
            replayed
        )
        #expect(try await pictures(replayed) == 200)
    }

    @Test func `without an end it goes on with what comes later`() async throws {
        let directory = try TemporaryDirectory()
        let server = try await ServerProcess.start(directory.file("data"))
        try await push(try await Footage.remuxed(), to: "cam", at: 1000, server)
        let pidFile = directory.file("pid")
        let command =
            "echo $$ > \(pidFile); exec \(ServerProcess.executable) replay cam --from earliest --speed max --to stream:again --server \(server.url)"
        async let ended = Program.run(["sh", "-c", command])
        func fragments() async throws -> Int {
            let list = try await server.request("GET", "/v1/streams/again/fragments")
            return list.text.matches(of: #/"flags":\[\]/#).count
        }
        // The last fragment of what it sends is stored when the pause has ended its push.
        try await server.wait(until: { try await fragments() == 8 })
        // Capture times that go back are no hindrance.
        try await push(try await Footage.remuxed(), to: "cam", at: 500, server)
        try await server.wait(until: { try await fragments() == 16 })
        let pid = try #require(
            Int32(String(buffer: contents(ofFile: pidFile)).filter(\.isNumber))
        )
        kill(pid, SIGINT)
        let end = try await ended
        #expect(end.status == 128 + SIGINT, "\(end.errors)")
        #expect(end.text.matches(of: #/Stored 8 fragments/#).count >= 1, "\(end.text)")
    }

    @Test func `a range without footage, and a stream that is not there, are said`() async throws {
        let directory = try TemporaryDirectory()
        let server = try await ServerProcess.start(directory.file("data"))
        try await push(try await Footage.remuxed(), to: "cam", at: 1000, server)
        for (stream, words) in [("cam", "has no footage in this range"), ("none", "no stream")] {
            let ended = try await Program.run([
                ServerProcess.executable, "replay", stream, "--from", "2000000", "--until", "now",
                "--to", directory.file("x.mkv"), "--server", server.url,
            ])
            #expect(ended.status == 1)
            #expect(ended.errors.contains(words), "\(ended.errors)")
        }
        #expect(!FileManager.default.fileExists(atPath: directory.file("x.mkv")))
    }
}

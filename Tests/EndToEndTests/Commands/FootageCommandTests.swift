import FoundationEssentials
import NIOCore
import TestSupport
import Testing

/// `kinelog push`, `fragments`, `fetch` and `replay`.
@Suite struct FootageCommandTests {
    private struct Event: Decodable {
        var event: String?
        var fragments: Int?
        var fragment: Shape.Fragment?
    }

    private static let start = "2026-01-01T00:00:00Z"
    private static let end = "2026-01-01T00:01:00Z"

    @Test func `footage is pushed from a file and from standard input`() async throws {
        let directory = try TemporaryDirectory()
        let server = try await ServerProcess.start(directory.path)
        let kinelog = CommandLine(url: server.url)
        let body = try await Footage.remuxed()
        let file = directory.file("visitor.ts")
        try write(body, toFile: file)

        let pushed = try await kinelog("push", "cam", file, "--start", Self.start)
        #expect(pushed.status == 0, "\(pushed.errors)")
        #expect(pushed.text == "Stored 8 fragments, 575.1 KiB, in stream 'cam'.\n")
        let piped = try await kinelog("push", "pipe", "-", "--json", input: body)
        #expect(piped.status == 0, "\(piped.errors)")
        let events = try piped.decodedLines(Event.self)
        #expect(events.count == 9)
        #expect(events.dropLast().allSatisfy { $0.event == "persisted" && $0.fragment != nil })
        #expect(events.last?.fragments == 8)
        let short = try await Footage.remuxed(options: ["-t", "1.8"])
        let live = try await kinelog("push", "live", "-", "--realtime", input: short)
        #expect(live.status == 0, "\(live.errors)")
        #expect(live.text.hasPrefix("Stored 1 fragment, "))

        let rows = try await kinelog("fragments", "cam")
        #expect(rows.lines.count == 9)
        #expect(rows.lines[0].hasPrefix("PRODUCER TIME "))
        #expect(rows.lines[1].hasPrefix("2026-01-01T00:00:00.000Z      2.0 s "))
        let listed = try await kinelog("fragments", "list", "cam", "--json", "--limit", "3")
        #expect(
            try listed.decodedLines(Shape.Fragment.self)
                == Array(try await server.fragments("cam").prefix(3))
        )

        let cut = body.split().first
        let broken = try await kinelog("push", "cut", "-", input: cut)
        #expect(broken.status == 1)
        #expect(broken.errors.contains("ends in the middle of its container"), "\(broken.errors)")
        let absent = try await kinelog("push", "absent", "-", "--no-create", input: body)
        #expect(absent.status == 1)
        #expect(try await server.request("GET", "/v1/streams/absent").status == 404)
    }

    @Test func `a range is the same in a file, on standard output and over HTTP`() async throws {
        let directory = try TemporaryDirectory()
        let server = try await ServerProcess.start(directory.path)
        let kinelog = CommandLine(url: server.url)
        let body = try await Footage.remuxed()
        try await server.pushWhole(body, to: "cam", query: "?startTimestamp=\(Self.start)")
        let file = directory.file("cam.mkv")
        let range = ["--from", "2026-01-01T00:00:04Z", "--to", "2026-01-01T00:00:08Z"]
        let http = try await server.request(
            "GET",
            "/v1/streams/cam/media?from=2026-01-01T00:00:04Z&to=2026-01-01T00:00:08Z"
        ).body

        let fetched = try await kinelog(
            "fetch",
            "cam",
            range[0],
            range[1],
            range[2],
            range[3],
            "-o",
            file
        )
        #expect(fetched.status == 0, "\(fetched.errors)")
        #expect(fetched.text.hasPrefix("\(file)  181.8 KiB"))
        #expect(try contents(ofFile: file) == http)
        let piped = try await kinelog(
            "fetch",
            "cam",
            range[0],
            range[1],
            range[2],
            range[3],
            "-o",
            "-"
        )
        #expect(piped.output == http)
        #expect(piped.errors == "")
        let again = try await kinelog(
            "fetch",
            "cam",
            range[0],
            range[1],
            range[2],
            range[3],
            "-o",
            file
        )
        #expect(again.status == 1)
        #expect(
            again.errors
                == "Error: '\(file)' exists; give another name, or --force to replace it.\n"
        )
        let nothing = try await kinelog("fetch", "cam", "--from", "5", "--to", "6", "-o", "-")
        #expect(nothing.status == 1)
        #expect(nothing.output.readableBytes == 0)
        #expect(nothing.errors.contains("has no footage between"))
    }

    @Test func `a replay has the very pictures and sounds wherever it goes`() async throws {
        let directory = try TemporaryDirectory()
        let server = try await ServerProcess.start(directory.path)
        let kinelog = CommandLine(url: server.url)
        let body = try await Footage.remuxed()
        try await server.pushWhole(body, to: "cam", query: "?startTimestamp=\(Self.start)")
        let expected = try await Decoded(body)
        let file = directory.file("replay.mkv")
        func replay(_ target: String) async throws -> Program {
            try await kinelog(
                "replay",
                "cam",
                "--from",
                Self.start,
                "--until",
                Self.end,
                "--speed",
                "max",
                "--to",
                target,
                "--keep-times"
            )
        }
        let piped = try await kinelog(
            "replay",
            "cam",
            "--from",
            Self.start,
            "--until",
            Self.end,
            "--speed",
            "max",
            "--to",
            "-"
        )
        #expect(piped.status == 0, "\(piped.errors)")
        #expect(try await Decoded(piped.output).difference(from: expected) == nil)
        let filed = try await kinelog(
            "replay",
            "cam",
            "--from",
            Self.start,
            "--until",
            Self.end,
            "--speed",
            "max",
            "--to",
            file
        )
        #expect(filed.status == 0, "\(filed.errors)")
        #expect(try contents(ofFile: file) == piped.output)
        #expect(try await replay(file).status == 2, "a file has no times to keep")

        let streamed = try await replay("stream:again")
        #expect(streamed.status == 0, "\(streamed.errors)")
        #expect(streamed.text.hasPrefix("Stored 8 fragments, "))
        let media = try await server.request(
            "GET",
            "/v1/streams/again/media?from=\(Self.start)&to=\(Self.end)"
        ).body
        #expect(try await Decoded(media).difference(from: expected) == nil)
        #expect(
            try await server.fragments("again").map(\.producerTimestamp)
                == server.fragments("cam").map(\.producerTimestamp)
        )
    }
}

import TestSupport
import Testing

/// `kinelog stream …` and `kinelog status`, with their words and their exit statuses.
@Suite struct StreamCommandTests {
    private struct Stream: Decodable {
        var name: String
        var retentionHours: Int
        var maxBytes: Int?
        var tags: [String: String]?
    }

    private struct Status: Decodable {
        var sessions: Int
        var streams: [Stream]
    }

    @Test func `a stream is made, listed, described and deleted`() async throws {
        let directory = try TemporaryDirectory()
        let server = try await ServerProcess.start(directory.path)
        let kinelog = CommandLine(url: server.url)

        let none = try await kinelog("stream", "list")
        #expect(none.status == 0)
        #expect(none.text == "")
        #expect(none.errors == "There is no stream yet; 'kinelog push' makes one.\n")

        let made = try await kinelog(
            "stream",
            "create",
            "cam",
            "--retention",
            "7d",
            "--max-bytes",
            "10GiB",
            "--tag",
            "floor=2"
        )
        #expect(made.status == 0, "\(made.errors)")
        for line in ["name           cam", "retention      168 h", "bytes at most  10.0 GiB"] {
            #expect(made.lines.contains(line), "\(made.text)")
        }
        #expect(made.lines.last == "tag            floor=2")

        let json = try await kinelog("stream", "create", "door", "--json")
        #expect(try json.decodedLines(Stream.self).map(\.name) == ["door"])

        let list = try await kinelog("stream", "list")
        #expect(
            list.lines == [
                "NAME  RETENTION  NEWEST FRAGMENT  NOTES", "cam       168 h  none",
                "door       24 h  none",
            ]
        )
        let listed = try await kinelog("stream", "list", "--json").decodedLines(Stream.self)
        #expect(listed.map(\.name) == ["cam", "door"])
        #expect(listed.map(\.retentionHours) == [168, 24])
        #expect(listed[0].maxBytes == 10 << 30)

        let described = try await kinelog("stream", "describe", "cam")
        #expect(described.status == 0)
        #expect(described.text == made.text)
        let detail = try await kinelog("stream", "describe", "cam", "--json")
        #expect(try detail.decodedLines(Stream.self).first?.tags == ["floor": "2"])

        let resumed = try await kinelog("stream", "resume-retention", "cam")
        #expect(resumed.status == 0)
        #expect(resumed.errors == "Footage of stream 'cam' expires after 168 h again.\n")

        let status = try await kinelog("status")
        #expect(status.status == 0)
        #expect(status.lines.first?.hasPrefix("server     \(server.url), clock ") == true)
        // How many there may be depends on this machine's descriptors.
        #expect(status.text.contains("\nproducers  0 of at most "), "\(status.text)")
        let facts = try await kinelog("status", "--json").decodedLines(Status.self)
        #expect(facts.first?.sessions == 0)
        #expect(facts.first?.streams.map(\.name) == ["cam", "door"])

        let deleted = try await kinelog("stream", "delete", "cam")
        #expect(deleted.status == 0)
        #expect(deleted.errors == "Stream 'cam' is deleted.\n")
        let rest = try await kinelog("stream", "list", "--json").decodedLines(Stream.self)
        #expect(rest.map(\.name) == ["door"])
    }

    @Test func `what fails ends with 1 and what is called wrongly with 2`() async throws {
        let directory = try TemporaryDirectory()
        let server = try await ServerProcess.start(directory.path)
        let kinelog = CommandLine(url: server.url)
        _ = try await kinelog("stream", "create", "cam")
        for arguments in [
            ["stream", "describe", "none"], ["stream", "delete", "none"],
            ["stream", "resume-retention", "none"], ["fragments", "none"],
            ["fetch", "none", "--from", "earliest", "-o", "-"], ["push", "none", "/none.ts"],
            ["stream", "create", "cam"],
        ] {
            let failed = try await Program.run(
                [ServerProcess.executable] + arguments + ["--server", server.url]
            )
            #expect(failed.status == 1, "\(arguments): \(failed.errors)")
            #expect(failed.text == "")
            #expect(failed.errors.hasPrefix("Error: Could not "), "\(arguments): \(failed.errors)")
        }
        for arguments in [
            ["stream", "create", "a b"], ["stream", "create"], ["nothing"],
            ["stream", "create", "x", "--tag", "a=1", "--tag", "a=2"],
            ["fragments", "cam", "--limit", "0"], ["fragments", "cam", "--from", "then"],
            ["replay", "cam", "--from", "earliest", "--to", "stream:cam"],
            ["push", "cam", "-", "--start", "earliest"], ["status", "--server", "nowhere"],
        ] {
            let wrong = try await Program.run([ServerProcess.executable] + arguments)
            #expect(wrong.status == 2, "\(arguments): \(wrong.errors)")
            #expect(wrong.text == "")
        }
        let nobody = try await CommandLine(url: "http://127.0.0.1:1")("status")
        #expect(nobody.status == 1)
        #expect(
            nobody.errors
                == "Error: Could not ask for the status: no connection to http://127.0.0.1:1 (Connection refused). Start the server with 'kinelog serve', or name it with --server or KINELOG_URL.\n"
        )
    }
}

import FoundationEssentials
import Glibc
import NIOCore
import TestSupport
import Testing

/// `kinelog verify`, with a server, without one, and with both databases lost.
@Suite struct RepairCommandTests {
    private static func stop(_ server: ServerProcess) async throws {
        server.signal(SIGTERM)
        #expect(try await server.end() == 0)
    }

    @Test func `with both databases lost a repair brings back the same fragments and gaps`()
        async throws
    {
        let directory = try TemporaryDirectory()
        let data = directory.file("data")
        let body = try await Footage.remuxed()
        let before: [Shape.Fragment]
        let gaps: [Shape.Timeline.Gap]
        do {
            let server = try await ServerProcess.start(data)
            let kinelog = CommandLine(url: server.url)
            try await server.pushWhole(body, to: "cam")
            // A body that is cut leaves a gap.
            _ = try await server.request("PUT", "/v1/streams/cam/media", body: body.split().first)
            before = try await server.fragments("cam")
            gaps = try await server.gaps("cam")
            #expect(!gaps.isEmpty)
            let online = try await kinelog("verify")
            #expect(online.status == 0, "\(online.text)\(online.errors)")
            #expect(online.lines.last == "All is as it should be.")
            #expect(try await kinelog("verify", "--json").decodedLines(Shape.Report.self)[0].clean)
            // A directory that a server uses is left alone.
            let used = try await CommandLine.run("verify", "--repair", "--data", data)
            #expect(used.status == 1)
            try await Self.stop(server)
        }
        let offline = try await CommandLine.run("verify", "--data", data)
        #expect(offline.status == 0, "\(offline.text)\(offline.errors)")

        for name in try FileManager.default.contentsOfDirectory(atPath: data)
        where name.contains(".sqlite") {
            try FileManager.default.removeItem(atPath: "\(data)/\(name)")
        }
        let lost = try await CommandLine.run("verify", "--data", data)
        #expect(lost.status == 1, "\(lost.text)")
        let refused = try await CommandLine.run("serve", "--data", data, "--http", "127.0.0.1:0")
        #expect(refused.status == 1)
        #expect(refused.text == "")
        #expect(refused.errors.contains("verify --repair"), "\(refused.errors)")

        let repaired = try await CommandLine.run("verify", "--repair", "--data", data)
        #expect(repaired.status == 0, "\(repaired.text)\(repaired.errors)")
        #expect(repaired.lines.last == "All is as it should be.")
        let server = try await ServerProcess.start(data)
        #expect(try await server.fragments("cam") == before)
        #expect(try await server.gaps("cam") == gaps)
        let described = try await CommandLine(url: server.url)("stream", "describe", "cam")
        #expect(described.text.contains("expiry paused"), "\(described.text)")
        #expect(try await server.verified().clean)
    }
}

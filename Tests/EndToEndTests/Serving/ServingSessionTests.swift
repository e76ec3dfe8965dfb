import FoundationEssentials
import Glibc
import NIOCore
import TestSupport
import Testing

/// Many producers at a time: how many there may be, and what memory and descriptors they share.
@Suite(.serialized) struct ServingSessionTests {
    private func status(_ server: ServerProcess) async throws -> Shape.Status {
        try await server.request("GET", "/v1/status").decoded()
    }

    @Test func `a producer too many is told to come back, and disturbs nobody`() async throws {
        let directory = try TemporaryDirectory()
        let server = try await ServerProcess.start(directory.path, "--max-sessions", "1")
        try await server.createStream("kvs")
        let port = server.port
        let footage = try await Footage.remuxed()
        let (first, rest) = footage.split()
        let held = try await OwnThread.run { try HeldPush(port, "cam", first) }
        try await server.wait(until: { try await status(server).sessions == 1 })
        let refused = try await server.request("PUT", "/v1/streams/cam2/media", body: first)
        #expect(refused.status == 503)
        #expect(refused.header("retry-after") == "10")
        let error = try refused.decoded(Shape.Refusal.self).error
        #expect(error.code == "tooManySessions")
        #expect(error.message.hasPrefix("All 1 producer sessions are in use"))
        let put = try await server.request(
            "POST",
            "/putMedia",
            headers: PutMedia.headers("kvs"),
            body: first
        )
        #expect(put.status == 400)
        #expect(put.header("x-amzn-errortype") == "ConnectionLimitExceededException")
        #expect(put.header("retry-after") == "10")
        let answer = try await OwnThread.run { try held.finish(rest) }
        #expect(answer.status == 200)
        #expect(try answer.decoded(Shape.Push.self).fragments == 8)
        // The place is free again.
        #expect(try await server.pushWhole(footage, to: "cam2").fragments == 8)
        #expect(try await server.gaps("cam") == [])
    }

    @Test func `no more producers are let in than descriptors allow`() async throws {
        let directory = try TemporaryDirectory()
        let server = try await ServerProcess.start(
            directory.path,
            [],
            launcher: ["prlimit", "--nofile=256:256"]
        )
        let port = server.port
        let most = try await status(server).sessionsMax
        #expect((10...50).contains(most))
        let (first, rest) = try await Footage.remuxed().split()
        let held = try await OwnThread.run {
            try (0..<most).map { try HeldPush(port, "cam\($0)", first) }
        }
        try await server.wait(until: { try await status(server).sessions == most })
        for index in 0..<20 {
            let refused = try await server.request(
                "PUT",
                "/v1/streams/more\(index)/media",
                body: first
            )
            #expect(refused.status == 503)
            #expect(refused.header("retry-after") == "10")
            #expect(refused.text.contains(#""code":"tooManySessions""#))
            #expect(try await server.request("GET", "/healthz").status == 200)
        }
        for push in held {
            let answer = try await OwnThread.run { try push.finish(rest) }
            #expect(answer.status == 200, "\(answer.text)")
            #expect(try answer.decoded(Shape.Push.self).fragments == 8)
        }
        for index in 0..<most {
            let gaps = try await server.gaps("cam\(index)")
            #expect(gaps == [], "\(gaps)")
        }
        let report = try await server.verified()
        #expect(report.clean)
        #expect(report.fragments == most * 8)
    }

    @Test func `fifty producers in long fragments share eight mebibytes`() async throws {
        let directory = try TemporaryDirectory()
        let memory = 8 << 20
        let server = try await ServerProcess.start(directory.path, "--open-memory", "8MiB")
        let source = try MatroskaDocument.all(in: try await Footage.clusters(.bunny2sGOP))[0]
        var header = source.start
        header.writeImmutableBuffer(source.segmentSize)
        for child in source.header { header.writeImmutableBuffer(child.bytes) }
        let clusters = source.clusters.map(\.bytes)
        #expect(clusters.count == 5)
        // Everything of a Cluster but its last bytes: it stays open.
        let open = clusters[0].readableBytes - 100
        #expect(open * 50 > memory * 2)

        let port = server.port
        let names = (0..<50).map { "cam\($0)" }
        for name in names { try await server.createStream(name) }
        let producers = try await withThrowingTaskGroup(of: PutMedia.self) { group in
            for name in names {
                let (header, first) = (header, clusters[0].getSlice(at: 0, length: open))
                group.addTask {
                    try await OwnThread.run {
                        let producer = try PutMedia(port, name, start: 1_767_225_600)
                        try producer.send(header)
                        for chunk in first?.chunks(of: 65_524) ?? [] { try producer.send(chunk) }
                        return producer
                    }
                }
            }
            return try await group.reduce(into: [PutMedia]()) { $0.append($1) }
        }
        // All have begun, and what does not fit into the memory lies in files.
        try await server.wait(until: {
            let held = try await status(server).openFragmentBytes
            let spilled = try spilledBytes(directory.path)
            return held <= memory && held + spilled >= open * 45
        })
        let full = try await status(server)
        #expect(full.sessions == 50)
        #expect(full.openFragmentBytesMax == memory)

        let persisted = try await withThrowingTaskGroup(of: [String].self) { group in
            for producer in producers {
                let last = clusters[0].getSlice(at: open, length: 100)
                group.addTask {
                    try await OwnThread.run {
                        for bytes in [last].compactMap({ $0 }) + clusters.dropFirst() {
                            for chunk in bytes.chunks(of: 65_524) { try producer.send(chunk) }
                        }
                        try producer.end()
                        return try producer.rest().map(\.EventType)
                    }
                }
            }
            return try await group.reduce(into: [[String]]()) { $0.append($1) }
        }
        #expect(persisted.count == 50)
        for events in persisted {
            #expect(events.count { $0 == "PERSISTED" } == clusters.count, "\(events)")
            #expect(!events.contains("ERROR"))
        }
        for name in names { #expect(try await server.gaps(name) == []) }
        let report = try await server.verified()
        #expect(report.clean)
        #expect(report.fragments == 50 * clusters.count)
        #expect(try await status(server).openFragmentBytes == 0)
        #expect(try spilledBytes(directory.path) == 0)
    }

    /// Bytes in the files that open fragments have been spilled to.
    private func spilledBytes(_ directory: String) throws -> Int {
        let streams = "\(directory)/streams"
        var bytes = 0
        for stream in try FileManager.default.contentsOfDirectory(atPath: streams)
        where stream.count == 16 {
            let folder = "\(streams)/\(stream)"
            for name in try FileManager.default.contentsOfDirectory(atPath: folder)
            where name.hasSuffix(".part") {
                var facts = stat()
                if unsafe stat("\(folder)/\(name)", &facts) == 0 { bytes += Int(facts.st_size) }
            }
        }
        return bytes
    }
}

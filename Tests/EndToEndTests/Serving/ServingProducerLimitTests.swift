import NIOCore
import TestSupport
import Testing

/// The limits of what one producer may send, with their defaults and as options.
@Suite struct ServingProducerLimitTests {
    private static let base: UInt64 = 1_767_225_600_000

    private func start(
        _ directory: TemporaryDirectory,
        _ options: String...
    ) async throws -> ServerProcess {
        let server = try await ServerProcess.start(directory.path, options)
        try await server.createStream("kvs")
        return server
    }

    /// Footage with so many tracks: pictures, and the sound again and again.
    private func tracks(_ count: Int, _ container: String) async throws -> ByteBuffer {
        try await Program.succeed(
            ["ffmpeg", "-v", "error", "-i", SampleMedia.visitor.path, "-t", "1.8", "-map", "0:v"]
                + Array(repeating: ["-map", "0:a"], count: count - 1).flatMap { $0 }
                + ["-c", "copy", "-f", container, "-"]
        )
    }

    /// What PutMedia of so many tracks sends.
    private func clusters(trackCount: UInt8) -> ByteBuffer {
        let tracks = (2...trackCount).map {
            ProducerBytes.track($0, type: 2, codec: "A_AAC", codecPrivate: [0x11, 0x90])
        }
        return ByteBuffer(
            bytes: ProducerBytes.header([ProducerBytes.video] + tracks)
                + ProducerBytes.media(Self.base)
        )
    }

    private func expectTracks(_ server: ServerProcess, max: Int) async throws {
        for container in ["mpegts", "matroska"] {
            let taken = try await server.request(
                "PUT",
                "/v1/streams/\(container)/media",
                body: try await tracks(max, container)
            )
            #expect(taken.status == 200, "\(container): \(taken.text)")
            let fragment = try await server.fragments(container)[0].fragmentNumber
            let samples: Shape.Samples = try await server.request(
                "GET",
                "/v1/streams/\(container)/fragments/\(fragment)/samples"
            ).decoded()
            #expect(samples.tracks.count == max)
            let refused = try await server.request(
                "PUT",
                "/v1/streams/\(container)/media",
                body: try await tracks(max + 1, container)
            )
            #expect(refused.status == 422)
            let error = try refused.decoded(Shape.Refusal.self).error
            #expect(error.code == "tooManyTracks")
            #expect(error.message.contains("more than \(max) tracks"))
            #expect(try await server.fragments(container).count == 1)
        }
        let taken = try await server.putMedia(clusters(trackCount: UInt8(max)), to: "kvs")
        #expect(taken.map(\.EventType) == ["BUFFERING", "RECEIVED", "PERSISTED"])
        let refused = try await server.putMedia(clusters(trackCount: UInt8(max) + 1), to: "kvs")
        #expect(refused.map(\.ErrorId) == [4012])
    }

    @Test func `eight tracks are taken and nine refused`() async throws {
        let directory = try TemporaryDirectory()
        try await expectTracks(try await start(directory), max: 8)
    }

    @Test func `the number of tracks is an option`() async throws {
        let directory = try TemporaryDirectory()
        try await expectTracks(try await start(directory, "--max-tracks", "2"), max: 2)
    }

    /// Footage with a Void of so many bytes before the first Cluster, the Segment's size unknown or
    /// that of a file.
    private func padded(
        _ media: ByteBuffer,
        _ length: Int,
        hasSize: Bool = false
    ) throws -> ByteBuffer {
        let source = try MatroskaDocument.all(in: media)[0]
        var content = ByteBuffer()
        for child in source.header { content.writeImmutableBuffer(child.bytes) }
        content.writeBytes(
            ProducerBytes.element(MatroskaID.void, .init(repeating: 0, count: length))
        )
        for cluster in source.clusters { content.writeImmutableBuffer(cluster.bytes) }
        var body = source.start
        body.writeInteger(hasSize ? UInt64(content.readableBytes) | 1 << 56 : 0x01FF_FFFF_FFFF_FFFF)
        body.writeImmutableBuffer(content)
        return body
    }

    @Test func `a header of more than four mebibytes is refused`() async throws {
        let directory = try TemporaryDirectory()
        let server = try await start(directory)
        let media = try await Footage.clusters()
        let count = SampleMedia.visitor.syncSamples.count
        for hasSize in [false, true] {
            let small = try padded(media, 3 << 20, hasSize: hasSize)
            let large = try padded(media, 5 << 20, hasSize: hasSize)
            let stream = "cam\(hasSize)"
            #expect(try await server.pushWhole(small, to: stream).fragments == count)
            let refused = try await server.request(
                "PUT",
                "/v1/streams/\(stream)/media",
                body: large
            )
            #expect(refused.status == 413)
            let error = try refused.decoded(Shape.Refusal.self).error
            #expect(error.code == "mediaHeaderTooLarge")
            #expect(error.message.contains("more than 4194304 bytes before"), "\(error.message)")
            #expect(try await server.fragments(stream).count == count)

            let taken = try await server.putMedia(small, to: "kvs", start: 1_767_225_600)
            #expect(taken.count { $0.EventType == "PERSISTED" } == count)
            let put = try await server.putMedia(large, to: "kvs", start: 1_767_225_600)
            #expect(put.map(\.ErrorId) == [4006])
        }
        // Behind the first Cluster, it is no header any more.
        var later = media
        later.writeBytes(
            ProducerBytes.element(MatroskaID.void, .init(repeating: 0, count: 5 << 20))
        )
        #expect(try await server.pushWhole(later, to: "later").fragments == count)
        // And whatever came before, each document has a header of its own.
        var two = media
        two.writeImmutableBuffer(try padded(media, 5 << 20))
        let second = try await server.request("PUT", "/v1/streams/two/media", body: two)
        #expect(second.status == 413)
    }

    @Test func `the size of a header is an option`() async throws {
        let directory = try TemporaryDirectory()
        let server = try await start(directory, "--max-header", "6MiB")
        let large = try padded(try await Footage.clusters(), 5 << 20)
        let count = SampleMedia.visitor.syncSamples.count
        #expect(try await server.pushWhole(large, to: "cam").fragments == count)
        let taken = try await server.putMedia(large, to: "kvs", start: 1_767_225_600)
        #expect(taken.count { $0.EventType == "PERSISTED" } == count)
    }

    @Test func `a fragment over its size goes on in dependent ones, or is refused as KVS does`()
        async throws
    {
        let directory = try TemporaryDirectory()
        let server = try await start(directory, "--max-fragment-size", "64KiB")
        let body = try await Footage.remuxed()
        try await server.pushWhole(body, to: "cam", query: "?startTimestamp=2026-01-01T00:00:00Z")
        let fragments = try await server.fragments("cam")
        let count = SampleMedia.visitor.syncSamples.count
        #expect(fragments.count { $0.flags == [] } == count)
        #expect(fragments.count > count)
        #expect(fragments.allSatisfy { $0.flags == [] || $0.flags == ["dependent"] })
        // Beside the payload there are Tags and the heads of blocks.
        #expect(fragments.allSatisfy { $0.sizeBytes < 68 << 10 })
        let range = try await server.request(
            "GET",
            "/v1/streams/cam/media?from=earliest&to=2026-01-01T00:01:00Z"
        )
        let expected = try await Decoded(body)
        #expect(try await Decoded(range.body).difference(from: expected) == nil)

        let put = try await server.putMedia(
            try await Footage.clusters(),
            to: "kvs",
            start: 1_767_225_600
        )
        #expect(put.last?.ErrorId == 4001)
        #expect(put.last?.ErrorCode == "MAX_FRAGMENT_SIZE_REACHED")
    }

    @Test func `a fragment over its time is refused as KVS does`() async throws {
        let directory = try TemporaryDirectory()
        let server = try await start(directory, "--max-fragment-time", "900ms")
        let put = try await server.putMedia(
            ByteBuffer(bytes: ProducerBytes.header() + ProducerBytes.media(Self.base, ms: 1000)),
            to: "kvs"
        )
        #expect(put.map(\.EventType) == ["BUFFERING", "ERROR"])
        #expect(put.last?.ErrorId == 4002)
        let short = try await server.putMedia(
            ByteBuffer(bytes: ProducerBytes.header() + ProducerBytes.media(Self.base, ms: 900)),
            to: "kvs"
        )
        #expect(short.map(\.EventType) == ["BUFFERING", "RECEIVED", "PERSISTED"])
    }

    @Test func `names of streams have 1 to 256 characters`() async throws {
        let directory = try TemporaryDirectory()
        let server = try await start(directory)
        let footage = try await Footage.remuxed(options: ["-t", "1.8"])
        let all = "aZ09_.-"
        for length in [1, 256] {
            let name = String(String(repeating: all, count: 40).prefix(length))
            // Made by whoever pushes to it.
            #expect(try await server.pushWhole(footage, to: name).fragments == 1)
            #expect(try await server.request("GET", "/v1/streams/\(name)").status == 200)
            #expect(try await server.fragments(name).count == 1)
            let kvs = String(name.dropLast() + "K")
            try await server.createStream(kvs)
            #expect(try await server.request("DELETE", "/v1/streams/\(kvs)").status == 204)
        }
        let long = String(repeating: "a", count: 257)
        for (method, target, body) in [
            ("PUT", "/v1/streams/\(long)/media", footage),
            ("GET", "/v1/streams/\(long)", ByteBuffer()),
            ("POST", "/v1/streams", ByteBuffer(string: #"{"name":"\#(long)"}"#)),
            ("POST", "/v1/streams", ByteBuffer(string: #"{"name":""}"#)),
        ] {
            let refused = try await server.request(method, target, body: body)
            #expect(refused.status == 400)
            #expect(refused.text.contains(#""code":"invalidArgument""#))
            #expect(refused.text.contains("1 to 256"), "\(refused.text)")
        }
        let refused = try await server.request(
            "POST",
            "/createStream",
            text: #"{"StreamName":"\#(long)"}"#
        )
        #expect(refused.status == 400)
        #expect(refused.header("x-amzn-errortype") == "InvalidArgumentException")
    }
}

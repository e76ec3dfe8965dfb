import NIOCore
import TestSupport
import Testing

/// What was pushed over HTTP comes back over HTTP: every picture, every sound, every time.
@Suite struct ServingLosslessTests {
    private static let start = "2026-01-01T00:00:00Z"
    private static let whole =
        "/v1/streams/cam/media?from=2026-01-01T00:00:00Z&to=2026-01-01T00:01:00Z"

    /// The samples of a fragment as the API tells them.
    private func samples(
        _ server: ServerProcess,
        _ fragment: Shape.Fragment
    ) async throws -> Shape.Samples {
        try await server.request(
            "GET",
            "/v1/streams/cam/fragments/\(fragment.fragmentNumber)/samples"
        ).decoded()
    }

    @Test(arguments: ["mpegts", "matroska"], SampleMedia.all)
    func `a push comes back whole, and each of its fragments can be decoded alone`(
        container: String,
        media: SampleMedia
    ) async throws {
        let directory = try TemporaryDirectory()
        let server = try await ServerProcess.start(directory.path)
        let body = try await Footage.remuxed(media, as: container)
        let pushed = try await server.pushWhole(
            body,
            to: "cam",
            query: "?startTimestamp=\(Self.start)"
        )
        let fragments = try await server.fragments("cam")
        #expect(fragments.count == media.syncSamples.count)
        #expect(fragments.count == pushed.fragments)
        #expect(fragments.allSatisfy { $0.flags.isEmpty })
        #expect(try await server.gaps("cam") == [])

        let expected = try await Decoded(body)
        #expect(expected.video.count == media.videoSampleCount)
        let range = try await Decoded(try await server.request("GET", Self.whole).body)
        #expect(range.difference(from: expected) == nil)
        #expect(range.complaints == "")

        var pictures: [String] = []
        for fragment in fragments {
            let table = try await samples(server, fragment)
            let document = try await server.request(
                "GET",
                "/v1/streams/cam/fragments/\(fragment.fragmentNumber)"
            ).body
            let alone = try await Decoded(document)
            #expect(alone.complaints == "")
            #expect(alone.video.count == table.samples.count { $0.track == 1 })
            #expect(alone.audio.count == table.samples.count { $0.track == 2 })
            pictures += alone.video
        }
        #expect(Decoded.difference(pictures, expected.video) == nil)
    }

    @Test(arguments: ["mpegts", "matroska"])
    func `times of samples are those of the source to the tick`(container: String) async throws {
        let directory = try TemporaryDirectory()
        let server = try await ServerProcess.start(directory.path)
        let body = try await Footage.remuxed(.bunny2sGOP, as: container)
        try await server.pushWhole(body, to: "cam", query: "?startTimestamp=\(Self.start)")
        var found: [UInt8: [Packet]] = [:]
        var bases: [UInt8: [Int64]] = [:]
        for fragment in try await server.fragments("cam") {
            let table = try await samples(server, fragment)
            for track in table.tracks { bases[track.number] = track.timeBase }
            for sample in table.samples {
                found[sample.track, default: []].append(Packet(pts: sample.pts, dts: sample.dts))
            }
        }
        let ticks: Int64 = container == "mpegts" ? 90_000 : 1000
        let video = try await Packet.all("v", of: body)
        #expect(video.count == SampleMedia.bunny2sGOP.videoSampleCount)
        #expect(bases[1] == [1, ticks])
        #expect(found[1]?.map(\.pts) == video.map(\.pts))
        if container == "mpegts" {
            #expect(found[1]?.map(\.dts) == video.map(\.dts))
        } else {
            // Matroska states none: they are made here, once, and must allow to decode.
            let decoding = found[1] ?? []
            #expect(decoding.map(\.dts) == decoding.compactMap(\.dts).sorted())
            #expect(decoding.allSatisfy { $0.dts ?? .max <= $0.pts })
        }
        let audio = try await Packet.all("a", of: body)
        let heard = found[2] ?? []
        #expect(audio.count == SampleMedia.bunny2sGOP.audioSampleCount)
        if container == "mpegts" {
            #expect(bases[2] == [1, ticks])
            #expect(heard.map(\.pts) == audio.map(\.pts))
        } else {
            // Where the source rounds to 1 ms, sound lies on the grid of its frames, and rounds to
            // the source's times.
            #expect(bases[2] == [1, 48_000])
            #expect(heard.map { ($0.pts * 2 + 48).quotient(by: 96) } == audio.map(\.pts))
            #expect(zip(heard, heard.dropFirst()).count { $1.pts - $0.pts != 1024 } <= 2)
        }
    }

    @Test func `a long group of pictures goes on in fragments that come with their sync fragment`()
        async throws
    {
        let directory = try TemporaryDirectory()
        let server = try await ServerProcess.start(directory.path, "--max-fragment-time", "1s")
        let body = try await Footage.remuxed(.bunny)
        try await server.pushWhole(body, to: "cam", query: "?startTimestamp=\(Self.start)")
        let fragments = try await server.fragments("cam")
        #expect(fragments.count == 6)
        #expect(fragments.map(\.flags) == [[]] + Array(repeating: ["dependent"], count: 5))
        let expected = try await Decoded(body)
        let range = try await Decoded(try await server.request("GET", Self.whole).body)
        #expect(range.difference(from: expected) == nil)
        #expect(range.complaints == "")
        // From the middle on it begins with what is needed, too.
        let middle = try await server.request(
            "GET",
            "/v1/streams/cam/media?from=2026-01-01T00:00:04.500Z&to=2026-01-01T00:01:00Z"
        ).body
        #expect(try await Decoded(middle).difference(from: expected) == nil)

        var count = 0
        for fragment in fragments {
            count += try await samples(server, fragment).samples.count { $0.track == 1 }
            let alone = try await Decoded(
                try await server.request(
                    "GET",
                    "/v1/streams/cam/fragments/\(fragment.fragmentNumber)"
                ).body
            )
            #expect(alone.complaints == "")
            #expect(Decoded.difference(alone.video, Array(expected.video.prefix(count))) == nil)
        }
        #expect(count == SampleMedia.bunny.videoSampleCount)
    }
}

extension Int64 {
    /// Rounded down.
    fileprivate func quotient(by divisor: Int64) -> Int64 {
        (self - ((self % divisor) + divisor) % divisor) / divisor
    }
}

import FoundationEssentials
import NIOCore
import TestSupport
import Testing

/// Damaged media through the running server: cut, flipped, overwritten, repeated; the seeds are
/// fixed, so that a failure comes again.
@Suite struct ServingFuzzTests {
    /// SplitMix64.
    private struct Generator: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
    }

    private static func damaged(_ media: ByteBuffer, seed: UInt64) -> ByteBuffer {
        var generator = Generator(state: seed)
        var bytes = Array(media.readableBytesView)
        let place = Int.random(in: 0..<bytes.count, using: &generator)
        switch seed % 5 {
        case 0:
            bytes.removeLast(bytes.count - place)
        case 1:
            for _ in 0..<Int.random(in: 1...64, using: &generator) {
                let index = Int.random(in: 0..<bytes.count, using: &generator)
                bytes[index] ^= UInt8(1) << UInt8.random(in: 0..<8, using: &generator)
            }
        case 2:
            let end = min(bytes.count, place + Int.random(in: 1...4096, using: &generator))
            for index in place..<end { bytes[index] = .random(in: 0...255, using: &generator) }
        case 3:
            bytes.removeSubrange(place..<min(bytes.count, place + 700))
        default:
            // Headers are where most decisions are made.
            for _ in 0..<8 {
                let index = Int.random(in: 0..<min(600, bytes.count), using: &generator)
                bytes[index] = [0, 0xFF, 0x7F, 0x80, 1].randomElement(using: &generator) ?? 0
            }
        }
        return ByteBuffer(bytes: bytes)
    }

    @Test func `three hundred damaged bodies are answered, and nothing is left behind`()
        async throws
    {
        let directory = try TemporaryDirectory()
        let server = try await ServerProcess.start(directory.path)
        let short = ["-t", "4"]
        let bodies = [
            try await Footage.remuxed(options: short),
            try await Footage.remuxed(as: "matroska", options: short),
            try await Footage.remuxed(as: "flv", options: short),
            try await Footage.remuxed(
                as: "mp4",
                options: short + ["-movflags", "frag_keyframe+empty_moov"]
            ),
            try await Footage.clusters(),
        ]
        for lane in 0..<4 {
            _ = try await server.request(
                "POST",
                "/createStream",
                text: #"{"StreamName":"kvs\#(lane)","DataRetentionInHours":1}"#
            )
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for lane in 0..<4 {
                group.addTask {
                    for seed in stride(from: UInt64(lane), to: 300, by: 4) {
                        let kind = Int(seed % UInt64(bodies.count))
                        let body = Self.damaged(bodies[kind], seed: seed / 5 &+ seed << 8)
                        if kind == 4 {
                            try await Self.put(body, seed, lane, server)
                        } else {
                            try await Self.push(body, seed, lane, server)
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        let status = try await server.request("GET", "/v1/status")
        #expect(status.text.contains(#""sessions":0,"#), "\(status.text)")
        #expect(status.text.contains(#""openFragmentBytes":0,"#), "\(status.text)")
        let report = try await server.request("POST", "/v1/verify")
        #expect(report.text.hasPrefix(#"{"clean":true"#), "\(report.text)")
    }

    private static func push(
        _ body: ByteBuffer,
        _ seed: UInt64,
        _ lane: Int,
        _ server: ServerProcess
    ) async throws {
        let answer = try await server.request("PUT", "/v1/streams/lane\(lane)/media", body: body)
        #expect([200, 400, 413, 415, 422].contains(answer.status), "seed \(seed): \(answer.text)")
    }

    private static func put(
        _ body: ByteBuffer,
        _ seed: UInt64,
        _ lane: Int,
        _ server: ServerProcess
    ) async throws {
        let answer = try await server.request(
            "POST",
            "/putMedia",
            headers: [
                "x-amzn-stream-name: kvs\(lane)", "x-amzn-fragment-timecode-type: RELATIVE",
                "x-amzn-producer-start-timestamp: \(1_767_225_600 + seed * 100)",
            ],
            body: body
        )
        #expect(answer.status == 200, "seed \(seed): \(answer.head)\(answer.text)")
        #expect(answer.chunks.allSatisfy { String(buffer: $0).hasSuffix("}\n") })
    }
}

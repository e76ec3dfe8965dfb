import NIOCore
import TestSupport
import Testing

/// Media that is no media, or only in part: each kind has one status and one code.
@Suite struct ServingRefusalTests {
    /// A kind of body that is refused.
    struct Kind: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let status: Int
        let code: String
        /// A part of the message.
        let says: String
        /// How many whole fragments are stored all the same.
        var stored = 0
        let body: @Sendable () async throws -> ByteBuffer

        init(
            _ name: String,
            _ status: Int,
            _ code: String,
            _ says: String,
            stored: Int = 0,
            _ body: @escaping @Sendable () async throws -> ByteBuffer
        ) {
            testDescription = name
            self.status = status
            self.code = code
            self.says = says
            self.stored = stored
            self.body = body
        }
    }

    private static func noise(_ count: Int, seed: UInt64) -> ByteBuffer {
        var generator = SeededGenerator(seed: seed)
        var bytes = ByteBuffer()
        for _ in 0..<(count / 8) { bytes.writeInteger(generator.next()) }
        return bytes
    }

    /// Something that looks right, and noise behind it.
    private static func noise(after bytes: [UInt8]) -> ByteBuffer {
        var body = ByteBuffer(bytes: bytes)
        body.writeImmutableBuffer(noise(160_000, seed: 1))
        return body
    }

    /// A transport stream of metadata without times.
    private static func untimed(_ count: Int) -> ByteBuffer {
        var stream = TransportStream(registration: "KLVA")
        for index in 0..<count {
            stream.packet(pts: nil, [UInt8(truncatingIfNeeded: index), 1, 2])
        }
        return stream.bytes
    }

    /// A transport stream whose PES packets say no time any more (ISO/IEC 13818-1, 2.4.3.6).
    private static func withoutTimes(_ stream: ByteBuffer) throws -> ByteBuffer {
        var bytes = Array(stream.readableBytesView)
        for start in stride(from: 0, to: bytes.count, by: 188) {
            let startsPacket = bytes[start + 1] & 0x40 != 0
            let hasAdaptation = bytes[start + 3] & 0x20 != 0
            let payload = start + 4 + (hasAdaptation ? 1 + Int(bytes[start + 4]) : 0)
            guard startsPacket, payload + 9 < start + 188,
                bytes[payload...].starts(with: [0, 0, 1])
            else { continue }
            bytes[payload + 7] &= 0x3F
            for place in 0..<Int(bytes[payload + 8]) { bytes[payload + 9 + place] = 0xFF }
        }
        return ByteBuffer(bytes: bytes)
    }

    private static let kinds: [Kind] = [
        Kind("noise", 415, "unknownContainer", "no container") { noise(160_000, seed: 7) },
        Kind("null packets", 415, "unknownContainer", "MPEG-TS") {
            ByteBuffer(
                bytes: (0..<2000).flatMap { _ in [0x47] + [UInt8](repeating: 0xFF, count: 187) }
            )
        },
        Kind("tables only", 422, "garbage", "holds no sample") {
            TransportStream(registration: "KLVA").bytes
        },
        Kind("a huge EBML header", 422, "truncated", "in the middle of its container") {
            noise(after: [0x1A, 0x45, 0xDF, 0xA3, 0x01, 0xFF])
        },
        Kind("noise behind an EBML header", 422, "truncated", "after 160048 bytes") {
            noise(after: ProducerBytes.ebml)
        },
        Kind("a Matroska header alone", 415, "unknownContainer", "Matroska") {
            ByteBuffer(bytes: ProducerBytes.header())
        },
        Kind("noise behind the head of FLV", 422, "truncated", "after 160013 bytes") {
            noise(after: Array("FLV".utf8) + [1, 5, 0, 0, 0, 9, 0, 0, 0, 0])
        },
        Kind("noise behind the head of MP4", 422, "truncated", "after 160024 bytes") {
            noise(
                after: [0, 0, 0, 24] + Array("ftypisom".utf8) + [0, 0, 2, 0]
                    + Array("isomiso2".utf8)
            )
        },
        Kind("metadata without times", 422, "noTimestamps", "first 101 samples") { untimed(150) },
        Kind("little metadata without times", 422, "noTimestamps", "first 10 samples") {
            untimed(10)
        },
        Kind("pictures and sound without times", 422, "noTimestamps", "has a time") {
            try withoutTimes(try await Footage.remuxed())
        },
        Kind("a transport stream that is cut", 422, "truncated", "whole fragments", stored: 5) {
            var body = try await Footage.remuxed()
            body.moveWriterIndex(to: body.readableBytes * 2 / 3 + 77)
            return body
        },
        Kind("Matroska that is cut", 422, "truncated", "whole fragments", stored: 4) {
            var body = try await Footage.remuxed(as: "matroska")
            body.moveWriterIndex(to: body.readableBytes * 2 / 3 + 77)
            return body
        },
        Kind("FLV that is cut", 422, "truncated", "whole fragments", stored: 4) {
            var body = try await Footage.remuxed(as: "flv")
            body.moveWriterIndex(to: body.readableBytes * 2 / 3 + 77)
            return body
        },
    ]

    @Test func `media that cannot be kept is refused and disturbs nobody`() async throws {
        let directory = try TemporaryDirectory()
        let server = try await ServerProcess.start(directory.path)
        let footage = try await Footage.remuxed()
        async let undisturbed = server.pushWhole(footage, to: "good")
        for (index, kind) in Self.kinds.enumerated() {
            let answer = try await server.request(
                "PUT",
                "/v1/streams/bad\(index)/media",
                body: try await kind.body()
            )
            let about = "\(kind.testDescription): \(answer.head)\(answer.text)"
            #expect(answer.status == kind.status, "\(about)")
            #expect(answer.text.contains(#""code":"\#(kind.code)""#), "\(about)")
            #expect(answer.text.contains(kind.says), "\(about)")
            #expect(answer.text.contains(#""fragments":\#(kind.stored),"#), "\(about)")
            let listed = try await server.fragments("bad\(index)")
            #expect(listed.count { $0.flags == [] } == kind.stored, "\(about)")
        }
        #expect(try await undisturbed.fragments == 8)
        let status: Shape.Status = try await server.request("GET", "/v1/status").decoded()
        #expect(status.sessions == 0)
        #expect(try await server.verified().clean)
    }
}

import Glibc
import NIOCore
import TestSupport
import Testing

/// Readers that are slow, that stop and that leave; serialized, because memory is measured.
@Suite(.serialized) struct ServingReaderTests {
    /// What one response may hold: a piece, the channel's watermark and the kernel's send buffer,
    /// with room for what the allocator keeps.
    private static let heldBytesMax = 12 << 20

    private static func follow(
        _ port: Int,
        _ target: String,
        receiveBytes: Int32 = 0
    ) throws -> RawClient {
        let client = try RawClient(port: port, receiveBytes: receiveBytes)
        try client.send("GET \(target) HTTP/1.1\r\nHost: localhost\r\n\r\n")
        _ = try client.receive(until: "\r\n\r\n")
        return client
    }

    @Test
    func `a reader that takes nothing holds little and is closed; a slow one gets everything`()
        async throws
    {
        let directory = try TemporaryDirectory()
        let server = try await ServerProcess.start(directory.path, "--reader-stall", "1s")
        let footage = try await Footage.remuxed(.bunny2sGOP, loops: 16)
        let pushed = try await server.request("PUT", "/v1/streams/cam/media", body: footage)
        #expect(pushed.status == 200)
        #expect(footage.readableBytes > 2 * Self.heldBytesMax)

        let port = server.port
        let before = try server.residentBytes
        let target = "/v1/streams/cam/media?from=earliest&to=now"
        let client = try await OwnThread.run {
            try Self.follow(port, target, receiveBytes: 1 << 16)
        }
        async let slow = OwnThread.run {
            let client = try Self.follow(port, target, receiveBytes: 1 << 18)
            var total = 0
            // A tenth of the time goes by without reading.
            while let chunk = try client.receiveChunk() {
                total += chunk.readableBytes
                usleep(12_000)
            }
            return total
        }
        // Nothing is read until the server gives up.
        try await server.waitForLog("reader closed")
        let held = try server.residentBytes - before
        #expect(held < Self.heldBytesMax, "\(held) bytes")
        #expect(try await slow > footage.readableBytes * 8 / 10)
        // What the kernel still had comes, but not the end of the response.
        let ended = try await OwnThread.run {
            do { return try client.receiveAll().readableBytes } catch { return 0 }
        }
        #expect(ended < Self.heldBytesMax)
    }

    @Test func `a reader that leaves is noticed at once, whether something is sent or not`()
        async throws
    {
        let directory = try TemporaryDirectory()
        let server = try await ServerProcess.start(directory.path)
        // The listener, and what the test's own parents left open.
        let alone = try server.socketCount
        _ = try await server.request("POST", "/v1/streams", text: #"{"name":"cam"}"#)
        try await server.wait(until: { try server.socketCount == alone })
        let port = server.port
        for _ in 0..<3 {
            let clients = try await OwnThread.run {
                try (0..<5).map { _ in try Self.follow(port, "/v1/streams/cam/media") }
            }
            #expect(try server.socketCount == alone + clients.count)
            for client in clients { client.leave() }
            try await server.wait(until: { try server.socketCount == alone })
        }
    }
}

import NIOCore
import TestSupport
import Testing

/// Producers that meet on one stream.
@Suite struct ServingTakeoverTests {
    private static let base: UInt64 = 1_767_225_600_000

    /// Waits until a producer has got a fragment durable.
    private static func waitForPersisted(_ producer: PutMedia) throws {
        while let ack = try producer.next() {
            if ack.EventType == "PERSISTED" { return }
            if ack.EventType == "ERROR" { throw TestSupportError("\(ack)") }
        }
        throw TestSupportError("the connection ended")
    }

    @Test func `the older PutMedia gets what is owed to it, the last chunk and the close`()
        async throws
    {
        let directory = try TemporaryDirectory()
        let server = try await ServerProcess.start(directory.path, "--takeover-silence", "30s")
        try await server.createStream("cam")
        let port = server.port
        let (older, newer) = try await OwnThread.run {
            let older = try PutMedia(port, "cam")
            try older.send(ProducerBytes.header() + ProducerBytes.media(Self.base))
            // The second is open when the newer connection comes, and goes on for a while.
            try older.send(ProducerBytes.media(Self.base + 1000, ms: 500))
            try Self.waitForPersisted(older)
            let newer = try PutMedia(port, "cam")
            try newer.send(ProducerBytes.header() + ProducerBytes.media(Self.base + 5000))
            guard try newer.next()?.EventType == "BUFFERING" else {
                throw TestSupportError("the newer session did not begin")
            }
            try older.send(ProducerBytes.block(1, 500, key: false))
            // Here it would begin a third.
            try older.send(ProducerBytes.media(Self.base + 2000))
            try newer.send(ProducerBytes.endOfFragment)
            let rest = try older.rest()
            guard try older.client.receive().readableBytes == 0 else {
                throw TestSupportError("more came behind the last chunk")
            }
            try newer.end()
            return (rest, try newer.rest())
        }
        #expect(older.map(\.EventType).filter { $0 != "BUFFERING" } == ["RECEIVED", "PERSISTED"])
        #expect(older.last?.FragmentTimecode == Self.base + 1000)
        #expect(newer.map(\.EventType) == ["RECEIVED", "PERSISTED"])
        // In the order of their numbers, the newer one's behind the older one's last.
        let fragments = try await server.fragments("cam")
        #expect(fragments.map(\.flags) == [[], [], ["tags"]])
        #expect(
            fragments.map(\.fragmentNumber).suffix(2)
                == [older.last?.FragmentNumber, newer.last?.FragmentNumber].compactMap { $0 }
        )
        #expect(try await server.verified().clean)
    }

    @Test func `a silent producer loses its open fragment to a newer one`() async throws {
        let directory = try TemporaryDirectory()
        let server = try await ServerProcess.start(directory.path, "--takeover-silence", "200ms")
        try await server.createStream("cam")
        let port = server.port
        let (older, newer) = try await OwnThread.run {
            let older = try PutMedia(port, "cam")
            try older.send(ProducerBytes.header() + ProducerBytes.media(Self.base, ms: 500))
            guard try older.next()?.EventType == "BUFFERING" else {
                throw TestSupportError("the older session did not begin")
            }
            let newer = try PutMedia(port, "cam")
            try newer.send(ProducerBytes.header() + ProducerBytes.media(Self.base + 5000))
            try newer.end()
            // Nothing more of the older one is needed for that.
            let acks = try newer.rest()
            try older.send(ProducerBytes.block(1, 500, key: false))
            return (try older.rest(), acks)
        }
        #expect(older == [])
        #expect(newer.map(\.EventType) == ["BUFFERING", "RECEIVED", "PERSISTED"])
        #expect(try await server.fragments("cam").map(\.flags) == [["incomplete"], []])
    }

    @Test func `of producers that fight for a stream newcomers are refused for a while`()
        async throws
    {
        let directory = try TemporaryDirectory()
        let server = try await ServerProcess.start(
            directory.path,
            "--contention-time",
            "3s",
            "--takeover-silence",
            "30s"
        )
        let port = server.port
        let footage = try await Footage.remuxed()
        let (first, rest) = footage.split()
        var held: [HeldPush] = []
        for count in 1...4 {
            held.append(try await OwnThread.run { try HeldPush(port, "cam", first) })
            // Each has sent a sample, and so taken the stream over, before the next one comes.
            try await server.wait(until: {
                let events = try await server.sessionOpenings("cam")
                return events == count
            })
        }
        // The fourth to take over within a minute is refused, and so is everybody after it, at once.
        let refused = try await server.request("PUT", "/v1/streams/cam/media", body: footage)
        for answer in [
            refused, try await server.request("PUT", "/v1/streams/cam/media", body: footage),
        ] {
            #expect(answer.status == 503)
            let wait = answer.header("retry-after").flatMap { Int($0) } ?? 0
            #expect((1...3).contains(wait), "\(answer.head)")
            let error = try answer.decoded(Shape.Refusal.self).error
            #expect(error.code == "contention")
            #expect(error.message.hasPrefix("Producers fight for stream 'cam'"))
        }
        let put = try await server.request(
            "POST",
            "/putMedia",
            headers: PutMedia.headers("cam"),
            body: first
        )
        #expect(put.status == 400)
        #expect(put.header("x-amzn-errortype") == "ConnectionLimitExceededException")

        // Those that were taken over keep what was whole; the last one goes on as if alone.
        let pushes = held
        let answers = try await OwnThread.run { try pushes.map { try $0.finish(rest) } }
        for answer in answers.dropLast() {
            #expect(answer.status == 409)
            let result = try answer.decoded(Shape.Push.self)
            #expect(result.error?.code == "takenOver")
            #expect(result.fragments >= 1)
        }
        #expect(answers.last?.status == 200)
        #expect(try answers.last?.decoded(Shape.Push.self).fragments == 8)
        let stored = try answers.map { try $0.decoded(Shape.Push.self).fragments }
        let listed = try await server.fragments("cam")
        #expect(listed.count { !$0.flags.contains("incomplete") } == stored.reduce(0, +))
        let gaps = try await server.gaps("cam")
        // Nothing is missing where a newer producer sends.
        #expect(gaps.map(\.reason) == ["contention", "contention", "contention"])

        // It ends by itself.
        try await server.wait(until: {
            try await server.request("PUT", "/v1/streams/cam/media", body: footage).status == 200
        })
        #expect(try await server.verified().clean)
    }
}

extension ServerProcess {
    /// How many producer sessions have begun in a stream, as its own file says.
    fileprivate func sessionOpenings(_ stream: String) async throws -> Int {
        let described = try await request("GET", "/v1/streams/\(stream)")
        guard let id = described.text.firstMatch(of: #/"id":"([0-9a-f]{16})"/#)?.1 else { return 0 }
        // Made with the first session's opening.
        let path = "\(directory)/streams/\(id)/events.log"
        guard let events = try? contents(ofFile: path) else { return 0 }
        return String(buffer: events).matches(of: #/session-open/#).count
    }
}

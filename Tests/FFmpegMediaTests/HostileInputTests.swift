import FFmpegMedia
import NIOCore
import TestSupport
import Testing

struct HostileInputTests {
    private static let containers: [Container] = [.mpegTS, .matroska, .flv, .fragmentedMP4]

    @Test(
        arguments: [
            "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n",
            "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
                + "m=video 5000 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n",
            "ffconcat version 1.0\nfile 'http://127.0.0.1/'\n",
        ],
        InputFormat.allCases
    )
    func `a body that refers elsewhere is never followed, whatever it is declared as`(
        body: String,
        format: InputFormat
    ) async throws {
        let demuxed = try await OwnThread.run {
            Demuxed.read(ByteBuffer(string: body), format)
        }
        #expect(demuxed.tracks.isEmpty)
        #expect(demuxed.samples.isEmpty)
        let error = try #require(demuxed.error)
        #expect(error.code == .unknownContainer)
        #expect(error.message.hasPrefix("Reading \(format.displayName)"))
        #expect(error.message.contains("media type names"))
    }

    @Test(arguments: InputFormat.allCases)
    func `an empty body and noise are refused`(format: InputFormat) async throws {
        var generator = SeededGenerator(seed: 6)
        for count in [0, 1, 100, 100_000] {
            let noise = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
            let demuxed = try await OwnThread.run {
                Demuxed.read(ByteBuffer(bytes: noise), format)
            }
            // Twelve bits make an ADTS header: noise may hold a few.
            #expect(demuxed.error != nil || format == .adts)
        }
    }

    @Test(arguments: containers)
    func `a cut file gives the samples before the cut`(container: Container) async throws {
        let bytes = try await container.smallFixture().bytes
        let whole = try await OwnThread.run { Demuxed.read(bytes, container.format) }
        let step = max(1, bytes.readableBytes / 150)
        try await OwnThread.run {
            for count in stride(from: 0, to: bytes.readableBytes, by: step) {
                let cut = bytes.getSlice(at: bytes.readerIndex, length: count) ?? ByteBuffer()
                let demuxed = Demuxed.read(cut, container.format)
                #expect(demuxed.error != nil || !demuxed.tracks.isEmpty)
                for track in 0..<min(demuxed.tracks.count, whole.tracks.count) {
                    // The last sample of a track may be the one that was cut.
                    let found = demuxed.samples(of: track).dropLast()
                    let expected = whole.samples(of: track).prefix(found.count)
                    #expect(found.map(\.payload) == expected.map(\.payload))
                }
            }
        }
    }

    /// Two thousand files for each container (less under the thread sanitizer), with up to three
    /// bytes replaced in each.
    @Test(arguments: containers)
    func `damaged files end in samples or an error`(container: Container) async throws {
        let original = Array(buffer: try await container.smallFixture().bytes)
        // Four threads' worth of work, so that two cores stay busy.
        let rounds = Effort.count(1000, underThreadSanitizer: 60)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for part in 0..<2 {
                group.addTask {
                    try await OwnThread.run {
                        var generator = SeededGenerator(seed: UInt64(part))
                        for round in 0..<rounds {
                            let bytes = original.mutated(count: 1 + round % 3, using: &generator)
                            let demuxed = Demuxed.read(
                                ByteBuffer(bytes: bytes),
                                container.format
                            )
                            #expect(demuxed.samples.count <= 10_000)
                            #expect(demuxed.tracks.count <= 8)
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    @Test func `damage in the first bytes never traps`() async throws {
        for container in Container.allCases {
            let original = Array(buffer: try await container.smallFixture().bytes.prefix(4096))
            try await OwnThread.run {
                var generator = SeededGenerator(seed: 9)
                for round in 0..<Effort.count(200, underThreadSanitizer: 20) {
                    let bytes = original.mutated(count: 1 + round % 20, using: &generator)
                    _ = Demuxed.read(ByteBuffer(bytes: bytes), container.format)
                }
            }
        }
    }
}

extension ByteBuffer {
    fileprivate func prefix(_ count: Int) -> ByteBuffer {
        getSlice(at: readerIndex, length: min(count, readableBytes)) ?? ByteBuffer()
    }
}

@testable import FFmpegMedia
import NIOCore
import TestSupport
import Testing

struct DemuxerLifetimeTests {
    private struct Stop: Error {}

    /// Waits until the demuxer has taken everything and sleeps, without a clock.
    private func waitUntilDrained(_ pipe: BytePipe) async {
        while !pipe.isReaderWaiting { await Task.yield() }
    }

    @Test(arguments: Container.allCases)
    func `an abort ends a demuxer that waits for its first bytes`(container: Container) async throws
    {
        let pipe = BytePipe()
        async let read = OwnThread.run { Demuxed.read(pipe, container.format) }
        await waitUntilDrained(pipe)
        pipe.abort(Stop())
        let error = try #require(try await read.error)
        #expect(error.code == .aborted)
        #expect(error.cause is Stop)
    }

    @Test(arguments: Container.allCases)
    func `an abort ends a demuxer that waits in the middle`(container: Container) async throws {
        let bytes = try await container.smallFixture().bytes
        let pipe = BytePipe()
        async let read = OwnThread.run { Demuxed.read(pipe, container.format) }
        try await pipe.write(
            try #require(bytes.getSlice(at: bytes.readerIndex, length: bytes.readableBytes / 2))
        )
        await waitUntilDrained(pipe)
        pipe.abort(Stop())
        let demuxed = try await read
        #expect(demuxed.error?.code == .aborted)
        #expect(demuxed.error?.cause is Stop)
        #expect(!demuxed.samples.isEmpty)
    }

    @Test func `a demuxer that is dropped ends the writer`() async throws {
        let bytes = try await Container.matroska.fixture(of: .bunny2sGOP).bytes
        let pipe = BytePipe(capacity: 65_536)
        async let first = OwnThread.run {
            try Demuxer(pipe: pipe, format: .matroska).next()?.isSync
        }
        var rest = bytes
        let error = await #expect(throws: FFmpegMediaError.self) {
            while let piece = rest.readSlice(length: 1000) { try await pipe.write(piece) }
        }
        #expect(error?.code == .aborted)
        #expect(try await first == true)
    }

    @Test func `a demuxer frees what it held`() async throws {
        let bytes = try await Container.mpegTS.smallFixture().bytes
        try await OwnThread.run {
            var demuxer: Demuxer? = try Demuxer(contents: bytes, format: .mpegTS)
            weak let context = demuxer?.core.context
            #expect(context != nil)
            _ = try demuxer?.next()
            demuxer = nil
            #expect(context == nil)
        }
    }

    // The sanitizers have memory of their own; the one of addresses finds leaks by itself.
    @Test(
        .disabled(if: Effort.isUnderAddressSanitizer || Effort.isUnderThreadSanitizer),
        arguments: [Container.mpegTS, .matroska, .flv, .fragmentedMP4]
    )
    func `hundreds of demuxers leave no memory behind`(container: Container) async throws {
        let path = try await container.smallFixture().path
        let name = container.format.rawValue
        // A process of its own, so that no other test allocates meanwhile.
        await #expect(processExitsWith: .success) {
            [path = path as String, name = name as String] in
            let format = try #require(InputFormat(rawValue: name))
            let bytes = try contents(ofFile: path)
            let cut = bytes.getSlice(at: bytes.readerIndex, length: bytes.readableBytes / 3)
            func open(_ count: Int) throws {
                for _ in 0..<count {
                    #expect(Demuxed.read(bytes, format).error == nil)
                    _ = Demuxed.read(cut ?? ByteBuffer(), format)
                    let unread = try Demuxer(contents: bytes, format: format)
                    #expect(unread.tracks.count == 2)
                }
            }
            try open(50)
            let before = try residentPageCount()
            try open(100)
            let after = try residentPageCount()
            // A context left behind by each would be five times as much.
            #expect(after < before + 512, "\(before) pages, then \(after)")
        }
    }
}

/// Pages of memory that this process holds.
private func residentPageCount() throws -> Int {
    let fields = String(buffer: try contents(ofFile: "/proc/self/statm")).split(separator: " ")
    return try #require(Int(fields[1]))
}

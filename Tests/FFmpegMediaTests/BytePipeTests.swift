@testable import FFmpegMedia
import NIOCore
import TestSupport
import Testing

struct BytePipeTests {
    private struct Stop: Error, Equatable {}

    private func read(_ pipe: BytePipe, _ count: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        let copied = unsafe bytes.withUnsafeMutableBytes { unsafe pipe.read(into: $0) }
        return copied.map { Array(bytes.prefix($0)) }
    }

    /// Waits until the writer is suspended, without blocking and without a clock.
    private func waitForWriter(_ pipe: BytePipe) async {
        while !pipe.isWriterWaiting { await Task.yield() }
    }

    @Test func `bytes come out in order and then the end`() async throws {
        let pipe = BytePipe()
        try await pipe.write(ByteBuffer(bytes: [1, 2, 3]))
        try await pipe.write(ByteBuffer())
        try await pipe.write(ByteBuffer(bytes: [4]))
        #expect(read(pipe, 2) == [1, 2])
        pipe.finish()
        #expect(read(pipe, 10) == [3, 4])
        #expect(read(pipe, 10) == [])
        #expect(read(pipe, 10) == [])
        #expect(pipe.bytesWritten == 4)
        #expect(pipe.bytesRead == 4)
    }

    @Test func `one read crosses chunks too large to be copied together`() async throws {
        let pipe = BytePipe(capacity: 1 << 20)
        let chunk = [UInt8](repeating: 7, count: 5000)
        for _ in 0..<3 { try await pipe.write(ByteBuffer(bytes: chunk)) }
        #expect(read(pipe, 12_000) == chunk + chunk + chunk.prefix(2000))
        #expect(read(pipe, 12_000)?.count == 3000)
    }

    @Test func `a full pipe suspends the writer until half of it is read`() async throws {
        let pipe = BytePipe(capacity: 8)
        try await pipe.write(ByteBuffer(repeating: 1, count: 8))
        async let second: Void = pipe.write(ByteBuffer(repeating: 2, count: 8))
        await waitForWriter(pipe)
        #expect(pipe.bytesWritten == 8)
        #expect(read(pipe, 3)?.count == 3)
        #expect(pipe.isWriterWaiting)
        #expect(read(pipe, 1)?.count == 1)
        try await second
        #expect(pipe.bytesWritten == 16)
        #expect(read(pipe, 100) == [1, 1, 1, 1] + [UInt8](repeating: 2, count: 8))
    }

    @Test func `no more than the capacity and one write are ever held`() async throws {
        let pipe = BytePipe(capacity: 1000)
        let writer = Task {
            for _ in 0..<10_000 { try await pipe.write(ByteBuffer(repeating: 1, count: 7)) }
            pipe.finish()
        }
        let most = try await OwnThread.run {
            var most: UInt64 = 0
            while true {
                let written = pipe.bytesWritten
                most = max(most, written &- min(written, pipe.bytesRead))
                if read(pipe, 64) == [] { return most }
            }
        }
        try await writer.value
        #expect(most <= 1007)
        #expect(pipe.bytesRead == 70_000)
    }

    @Test func `an abort ends a waiting writer and later ones with its reason`() async throws {
        let pipe = BytePipe(capacity: 1)
        try await pipe.write(ByteBuffer(bytes: [1]))
        let writer = Task { try await pipe.write(ByteBuffer(bytes: [2])) }
        await waitForWriter(pipe)
        pipe.abort(Stop())
        pipe.abort(CancellationError())
        await #expect(throws: Stop.self) { try await writer.value }
        await #expect(throws: Stop.self) { try await pipe.write(ByteBuffer(bytes: [3])) }
        #expect(pipe.failure is Stop)
        #expect(read(pipe, 10) == nil)
    }

    @Test func `an abort ends a reader that waits`() async throws {
        let pipe = BytePipe()
        async let copied = OwnThread.run { read(pipe, 10) }
        pipe.abort(Stop())
        #expect(try await copied == nil)
    }

    @Test func `a cancelled writer ends and leaves the pipe usable`() async throws {
        let pipe = BytePipe(capacity: 1)
        try await pipe.write(ByteBuffer(bytes: [1]))
        let writer = Task { try await pipe.write(ByteBuffer(bytes: [2])) }
        await waitForWriter(pipe)
        writer.cancel()
        await #expect(throws: CancellationError.self) { try await writer.value }
        #expect(read(pipe, 10) == [1])
        try await pipe.write(ByteBuffer(bytes: [3]))
        #expect(read(pipe, 10) == [3])
    }

    @Test func `a task cancelled before it writes to a full pipe ends as well`() async throws {
        let pipe = BytePipe(capacity: 1)
        try await pipe.write(ByteBuffer(bytes: [1]))
        let writer = Task {
            unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
            try await pipe.write(ByteBuffer(bytes: [2]))
        }
        await #expect(throws: CancellationError.self) { try await writer.value }
    }

    @Test func `a reader that is gone ends the writer`() async throws {
        let pipe = BytePipe(capacity: 1)
        try await pipe.write(ByteBuffer(bytes: [1]))
        let writer = Task { try await pipe.write(ByteBuffer(bytes: [2])) }
        await waitForWriter(pipe)
        pipe.closeReading()
        let error = await #expect(throws: FFmpegMediaError.self) { try await writer.value }
        #expect(error?.code == .aborted)
        await #expect(throws: FFmpegMediaError.self) {
            try await pipe.write(ByteBuffer(bytes: [3]))
        }
    }
}

package import NIOCore

/// A bounded buffer between an async writer and a blocking reader on a thread of its own.
///
/// While more than `capacity` bytes wait, the writer is suspended, so that the socket behind it is
/// not read and the producer feels it. Small buffers are copied together: many tiny writes cost no
/// more memory than the bytes they hold.
///
/// Any task or thread may call `finish`, `abort` and the counters; there may be one writer and one
/// reader at a time. How long to wait for bytes is the session's business: it calls `abort`.
package final class BytePipe: Sendable {
    /// The bytes that may wait before the writer is suspended, by default.
    package static let capacityDefault = 256 * 1024

    /// The bytes that may wait before the writer is suspended.
    package let capacity: Int

    private let monitor: Monitor<State>

    private struct State {
        var chunks = CircularBuffer<ByteBuffer>()
        var waiting = 0
        var bytesRead: UInt64 = 0
        var bytesWritten: UInt64 = 0
        var isFinished = false
        var isReaderGone = false
        var failure: (any Error)?
        var writer: CheckedContinuation<Void, any Error>?
        var writerID: UInt64 = 0
        var cancelledWriterID: UInt64?
    }

    /// An empty pipe.
    ///
    /// - Parameter capacity: Bytes that may wait; one write more than that may be held.
    package init(capacity: Int = BytePipe.capacityDefault) {
        precondition(capacity > 0)
        self.capacity = capacity
        monitor = Monitor(State())
    }

    /// A pipe that holds all it will ever hold.
    package convenience init(contents: ByteBuffer) {
        self.init(capacity: max(1, contents.readableBytes))
        monitor.withLock { state in
            Self.append(contents, to: &state)
            state.isFinished = true
        }
    }

    /// Bytes that the reader has taken.
    package var bytesRead: UInt64 { monitor.withLock { $0.bytesRead } }

    /// Bytes that the writer has put in.
    package var bytesWritten: UInt64 { monitor.withLock { $0.bytesWritten } }

    /// Puts bytes in, after waiting until there is room.
    ///
    /// - Parameter bytes: Taken whole, even when they exceed `capacity`; may be empty.
    /// - Throws: The error given to ``abort(_:)``, ``FFmpegMediaError/Code/aborted`` when the reader
    ///   is gone, or `CancellationError` when the task is cancelled while it waits; the bytes are not
    ///   taken then.
    package func write(_ bytes: ByteBuffer) async throws {
        if try push(bytes) { return }
        let id = monitor.withLock { state in
            state.writerID += 1
            return state.writerID
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                suspend(continuation, id: id)
            }
        } onCancel: {
            cancel(id: id)
        }
        // There is room now, or an error to throw.
        guard try push(bytes, evenIfFull: true) else { preconditionFailure("the pipe is forced") }
    }

    /// Says that no more bytes will come; the reader gets the end once it has read what is there.
    package func finish() {
        monitor.withLock { $0.isFinished = true }
        monitor.wakeAll()
    }

    /// Ends both sides at once: what waits is dropped, the writer and the reader get `error`.
    ///
    /// Only the first call counts.
    package func abort(_ error: any Error) {
        let writer = monitor.withLock { state -> CheckedContinuation<Void, any Error>? in
            guard state.failure == nil else { return nil }
            state.failure = error
            state.chunks.removeAll()
            state.waiting = 0
            return state.writer.take()
        }
        monitor.wakeAll()
        writer?.resume(throwing: error)
    }

    /// The error given to ``abort(_:)``.
    package var failure: (any Error)? { monitor.withLock { $0.failure } }

    /// Whether the reader has taken everything and sleeps until more comes.
    var isReaderWaiting: Bool { monitor.isThreadWaiting }

    /// Whether a writer is suspended until there is room.
    var isWriterWaiting: Bool { monitor.withLock { $0.writer != nil } }

    // MARK: The reading side, on the demuxer's thread

    /// Waits for bytes and copies as many of them out as there are and as fit.
    ///
    /// - Returns: The bytes copied, zero at the end, `nil` after an abort.
    func read(into target: UnsafeMutableRawBufferPointer) -> Int? {
        let (copied, writer) = monitor.withLock(when: { state in
            !state.chunks.isEmpty || state.isFinished || state.failure != nil
        }) { state in
            (unsafe Self.take(into: target, from: &state), resumable(&state))
        }
        writer?.resume()
        return copied
    }

    /// Says that nobody will read any more, so that no writer waits for ever.
    func closeReading() {
        let error = Self.readerGone
        let writer = monitor.withLock { state in
            state.isReaderGone = true
            state.chunks.removeAll()
            state.waiting = 0
            return state.writer.take()
        }
        writer?.resume(throwing: error)
    }

    private static var readerGone: FFmpegMediaError {
        FFmpegMediaError(.aborted, "The demuxer has stopped reading; no more bytes are taken")
    }

    /// Copies from the first chunks; `nil` after an abort.
    private static func take(
        into target: UnsafeMutableRawBufferPointer,
        from state: inout State
    ) -> Int? {
        if state.failure != nil { return nil }
        var copied = 0
        while copied < target.count, !state.chunks.isEmpty {
            let first = state.chunks.startIndex
            copied += unsafe state.chunks[first].readWithUnsafeReadableBytes { bytes in
                let length = min(target.count - copied, bytes.count)
                let free = unsafe UnsafeMutableRawBufferPointer(rebasing: target[copied...])
                unsafe free.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[..<length]))
                return length
            }
            if state.chunks[first].readableBytes == 0 { state.chunks.removeFirst() }
        }
        state.waiting -= copied
        state.bytesRead += UInt64(copied)
        return copied
    }

    /// The writer, if there is room enough that waking it is worth its while.
    private func resumable(_ state: inout State) -> CheckedContinuation<Void, any Error>? {
        state.waiting <= capacity / 2 ? state.writer.take() : nil
    }

    // MARK: The writing side

    /// Appends if there is room.
    private func push(_ bytes: ByteBuffer, evenIfFull: Bool = false) throws -> Bool {
        let taken = try monitor.withLock { state in
            if let failure = state.failure { throw failure }
            if state.isReaderGone { throw Self.readerGone }
            precondition(!state.isFinished, "bytes written after finish()")
            guard evenIfFull || state.waiting < capacity else { return false }
            Self.append(bytes, to: &state)
            return true
        }
        if taken { monitor.wakeAll() }
        return taken
    }

    private static func append(_ bytes: ByteBuffer, to state: inout State) {
        let count = bytes.readableBytes
        guard count > 0 else { return }
        state.waiting += count
        state.bytesWritten += UInt64(count)
        if let last = state.chunks.indices.last,
            state.chunks[last].readableBytes + count <= coalescedByteCountMax
        {
            state.chunks[last].writeImmutableBuffer(bytes)
        } else {
            state.chunks.append(bytes)
        }
    }

    /// Chunks up to this size are copied together.
    private static let coalescedByteCountMax = 4096

    private func suspend(_ continuation: CheckedContinuation<Void, any Error>, id: UInt64) {
        let outcome = monitor.withLock { state -> Result<Void, any Error>? in
            if let failure = state.failure { return .failure(failure) }
            if state.isReaderGone { return .failure(Self.readerGone) }
            if state.cancelledWriterID == id { return .failure(CancellationError()) }
            if state.waiting < capacity { return .success(()) }
            precondition(state.writer == nil, "two writers on one pipe")
            state.writer = continuation
            return nil
        }
        if let outcome { continuation.resume(with: outcome) }
    }

    private func cancel(id: UInt64) {
        let writer = monitor.withLock { state -> CheckedContinuation<Void, any Error>? in
            guard state.writerID == id else { return nil }
            // The handler may run before the continuation is there.
            state.cancelledWriterID = id
            return state.writer.take()
        }
        writer?.resume(throwing: CancellationError())
    }
}

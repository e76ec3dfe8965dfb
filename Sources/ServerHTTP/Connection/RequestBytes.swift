import HTTPTypes
import HummingbirdCore
import Ingest
import NIOCore
import Synchronization

/// The body of a request, read once from front to back.
///
/// Ends by throwing when the connection breaks in it, and with `.shuttingDown` when the server can
/// wait no longer.
struct RequestBytes: AsyncSequence, Sendable {
    typealias Element = ByteBuffer

    /// Where reading stands.
    ///
    /// `@unchecked Sendable` for the iterator: whoever handles the request reads, and has ended
    /// before the responder drains the rest.
    fileprivate final class Shared: @unchecked Sendable {
        struct State {
            var isAtEnd = false
            var isBroken = false
            var isCut = false
        }

        let state = Mutex(State())
        var iterator: RequestBody.AsyncIterator

        init(_ iterator: RequestBody.AsyncIterator) { self.iterator = iterator }
    }

    private let shared: Shared
    private let channel: any Channel

    /// The body of a request.
    ///
    /// - Parameters:
    ///   - request: The request.
    ///   - channel: Its connection.
    init(_ request: Request, channel: any Channel) {
        shared = Shared(request.body.makeAsyncIterator())
        self.channel = channel
        let hasBody =
            request.headers[.transferEncoding] != nil
            || request.headers[.contentLength].map { $0 != "0" } ?? false
        if !hasBody { shared.state.withLock { $0.isAtEnd = true } }
    }

    /// Whether everything was read.
    var isAtEnd: Bool { shared.state.withLock { $0.isAtEnd } }

    /// Whether reading failed, so that the rest cannot be read any more.
    var isBroken: Bool { shared.state.withLock { $0.isBroken } }

    /// Whether a reader was made to give up.
    var isCut: Bool { shared.state.withLock { $0.isCut } }

    /// Makes a reader that waits for more give up with `.shuttingDown`.
    func cut() {
        shared.state.withLock { $0.isCut = true }
        // The reader cannot be woken in another way that leaves the connection open for an answer.
        channel.close(mode: .input, promise: nil)
    }

    /// Reads and drops what is left.
    func drain() async {
        guard !isAtEnd, !isBroken else { return }
        do { for try await _ in self {} } catch {}
    }

    /// The whole body.
    ///
    /// - Parameter bytesMax: The most it may have.
    /// - Returns: Its bytes.
    /// - Throws: `.bodyTooLarge`; what the connection fails with.
    func collect(bytesMax: Int) async throws -> ByteBuffer {
        var whole = ByteBuffer()
        for try await piece in self {
            guard whole.readableBytes + piece.readableBytes <= bytesMax else {
                throw APIError(
                    .bodyTooLarge,
                    "The request's body is larger than \(bytesMax) bytes."
                )
            }
            whole.writeImmutableBuffer(piece)
        }
        return whole
    }

    /// Runs what reads the body; once a latch opens, reading fails with `.shuttingDown`.
    func untilCut<Result: Sendable>(
        _ cutting: Latch,
        _ read: @Sendable () async -> Result
    ) async -> Result {
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                await cutting.wait()
                if cutting.isOpen { cut() }
            }
            let result = await read()
            group.cancelAll()
            return result
        }
    }

    func makeAsyncIterator() -> Iterator { Iterator(shared: shared) }

    struct Iterator: AsyncIteratorProtocol {
        fileprivate let shared: Shared

        mutating func next() async throws -> ByteBuffer? {
            guard shared.state.withLock({ !$0.isAtEnd && !$0.isBroken }) else { return nil }
            let piece: ByteBuffer?
            do {
                piece = try await shared.iterator.next()
            } catch {
                throw broken(error)
            }
            if let piece { return piece }
            // A cancelled reader gets the same `nil` as one at the end.
            if Task.isCancelled { throw broken(CancellationError()) }
            if shared.state.withLock({ $0.isCut }) { throw broken(CancellationError()) }
            shared.state.withLock { $0.isAtEnd = true }
            return nil
        }

        private func broken(_ error: any Error) -> any Error {
            let isCut = shared.state.withLock { state in
                state.isBroken = true
                return state.isCut
            }
            guard isCut else { return error }
            return IngestError(
                .shuttingDown,
                "The server is shutting down; what arrived is kept. Connect again in a moment."
            )
        }
    }
}

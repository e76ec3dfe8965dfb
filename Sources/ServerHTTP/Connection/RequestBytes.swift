import HTTPTypes
import HummingbirdCore
import Ingest
import NIOCore
import Synchronization

/// The body of a request, read once from front to back.
///
/// Reading fails when the connection breaks in the body, and with the error of ``cut(_:)``. The
/// bytes are taken off the connection by ``pump()``, one piece ahead of the reader, so that giving
/// up on a body leaves the connection open for an answer.
final class RequestBytes: AsyncSequence, Sendable {
    typealias Element = ByteBuffer

    private struct State {
        var flow: BodyFlow
        var pump: CheckedContinuation<Void, Never>?
        var reader: CheckedContinuation<Void, Never>?
    }

    private let body: RequestBody
    private let hasBody: Bool
    private let loop: any EventLoop
    private let state: Mutex<State>

    /// What a reader gets when the server can wait no longer.
    static let shuttingDown = IngestError(
        .shuttingDown,
        "The server is shutting down; what arrived is kept. Connect again in a moment."
    )

    /// The body of a request on a connection.
    init(_ request: Request, channel: any Channel) {
        body = request.body
        loop = channel.eventLoop
        hasBody =
            request.headers[.transferEncoding] != nil
            || request.headers[.contentLength].map { $0 != "0" } ?? false
        state = Mutex(State(flow: BodyFlow(hasBody: hasBody)))
    }

    /// Whether everything came and was read.
    var isAtEnd: Bool { state.withLock { $0.flow.isAtEnd } }

    // MARK: Receiving

    /// Takes the body off the connection, as fast as it is read; ends with it.
    func pump() async {
        guard hasBody else { return }
        do {
            for try await piece in body {
                await room()
                change { $0.put(piece) }
            }
            // A cancelled reader of the connection gets the same `nil` as one at the end.
            change { $0.finish(Task.isCancelled ? .broken(CancellationError()) : .whole) }
        } catch {
            change { $0.finish(.broken(error)) }
        }
    }

    /// Waits until there is room for a piece.
    private func room() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isThere = state.withLock { state in
                    if state.flow.hasRoom || Task.isCancelled { return true }
                    state.pump = continuation
                    return false
                }
                if isThere { continuation.resume() }
            }
        } onCancel: {
            change { $0.drop() }
        }
    }

    /// Changes the flow and wakes whichever side has something to do then.
    private func change(_ body: (inout BodyFlow) -> Void) {
        let (pump, reader) = state.withLock { state in
            body(&state.flow)
            return (state.flow.hasRoom ? state.pump.take() : nil, state.reader.take())
        }
        pump?.resume()
        reader?.resume()
    }

    // MARK: Giving up

    /// Makes a reader fail; what still comes is dropped.
    func cut(_ error: any Error) { change { $0.cut(error) } }

    /// Drops what is left: nobody reads any more.
    func dropRest() { change { $0.drop() } }

    // MARK: Reading

    /// The whole body, in the size and the time that JSON may have.
    ///
    /// - Throws: `.bodyTooLarge`, `.requestTimeout`; what the connection fails with.
    func collect(_ limits: ServerConfiguration) async throws -> ByteBuffer {
        let (bytesMax, time) = (limits.jsonBytesMax, limits.requestHeadTimeout)
        let timer = loop.scheduleTask(in: time) {
            self.cut(
                APIError(
                    .requestTimeout,
                    "The request's body did not come within \(time.nanoseconds / 1_000_000) ms."
                )
            )
        }
        defer { timer.cancel() }
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

    func makeAsyncIterator() -> Iterator { Iterator(bytes: self) }

    struct Iterator: AsyncIteratorProtocol {
        fileprivate let bytes: RequestBytes

        /// The next piece; `nil` at the end.
        ///
        /// - Throws: Also `CancellationError`, which leaves the body as it is.
        mutating func next() async throws -> ByteBuffer? {
            while true {
                switch bytes.take() {
                case .piece(let piece): return piece
                case .failure(let error): throw error
                case .end: return nil
                case .wait: try await bytes.wait()
                }
            }
        }
    }

    private func take() -> BodyFlow.Reading {
        let (reading, pump) = state.withLock { state in
            let reading = state.flow.take()
            return (reading, state.flow.hasRoom ? state.pump.take() : nil)
        }
        pump?.resume()
        return reading
    }

    /// Waits until the reader has something to look at.
    private func wait() async throws {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    if !state.flow.isEmpty || Task.isCancelled { return true }
                    state.reader = continuation
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.reader.take() }?.resume()
        }
        try Task.checkCancellation()
    }
}

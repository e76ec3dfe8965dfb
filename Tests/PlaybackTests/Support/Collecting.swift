import FragmentLog
import LogTestSupport
import MediaModel
import NIOCore
@testable import Playback

/// Anything that gives its bytes piece by piece.
protocol PieceSource: Sendable {
    mutating func next() async throws(PlaybackError) -> ByteBuffer?
}

extension MatroskaStream: PieceSource {}
extension FragmentDocument: PieceSource {}
extension KVSMedia: PieceSource {}

extension PieceSource {
    /// Everything up to the orderly end.
    func collected() async throws -> ByteBuffer {
        var source = self
        var all = ByteBuffer()
        while let piece = try await source.next() {
            guard piece.readableBytes <= 256 << 10 else {
                throw SourceDocument.Unreadable(what: "a piece of \(piece.readableBytes) bytes")
            }
            all.writeImmutableBuffer(piece)
        }
        return all
    }

    /// Reads until there are so many bytes.
    mutating func read(atLeast length: Int, into bytes: inout ByteBuffer) async throws {
        while bytes.readableBytes < length, let piece = try await next() {
            bytes.writeImmutableBuffer(piece)
        }
    }
}

extension StreamLog {
    /// A stretch that ends, in native form.
    func range(
        _ from: Int64? = nil,
        _ to: Int64? = nil,
        clock: StreamClock = .producer
    ) async throws -> MatroskaStream {
        try await MatroskaStream(
            stream: self,
            from: from.map { Timestamp(milliseconds: $0) },
            to: to.map { Timestamp(milliseconds: $0) },
            clock: clock,
            follow: false
        )
    }

    /// The live edge, or everything from a time on, in native form.
    func follow(_ from: Int64? = nil, to: Int64? = nil) async throws -> MatroskaStream {
        try await MatroskaStream(
            stream: self,
            from: from.map { Timestamp(milliseconds: $0) },
            to: to.map { Timestamp(milliseconds: $0) },
            clock: .producer,
            follow: true
        )
    }
}

/// A log with one stream, closed when the test is over.
func withStream(
    _ place: TemporaryLog? = nil,
    retentionHours: Int = 24,
    _ body: (StreamLog, FragmentLog) async throws -> Void
) async throws {
    let place = try place ?? TemporaryLog()
    let log = try await place.open()
    do {
        let stream = try await log.createStream(
            StreamSettings(name: .test(), retentionHours: retentionHours)
        )
        try await body(stream, log)
    } catch {
        await log.close()
        throw error
    }
    await log.close()
}

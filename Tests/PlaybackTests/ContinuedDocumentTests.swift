import FragmentLog
import LogTestSupport
import Matroska
import MediaModel
import NIOCore
@testable import Playback
import TestSupport
import Testing

extension ContinuedDocument: PieceSource {}

@Suite(.timeLimit(.minutes(3))) struct ContinuedDocumentTests {
    /// What a reader has who asks for one fragment after another.
    private func joined(
        _ records: [FragmentRecord],
        of stream: StreamLog
    ) async throws -> ByteBuffer {
        var output = try await FragmentDocument(stream: stream, record: records[0]).collected()
        var zero = try #require(try DocumentHeader.parse(output).dateUTC)
        for (previous, record) in zip(records, records.dropFirst()) {
            let next = try await ContinuedDocument(
                stream: stream,
                record: record,
                after: previous,
                zero: zero
            ).collected()
            if documents(next).count == 1 {
                zero = try #require(DocumentHeader.parse(next).dateUTC)
            }
            output.writeImmutableBuffer(next)
        }
        return output
    }

    @Test func `fragments asked for one by one are the stretch, byte for byte`() async throws {
        let source = try await SourceDocument.bunny.value
        try await withStream { stream, _ in
            let records = try await TestProducer(source, to: stream).sendAll()
            #expect(try await joined(records, of: stream) == stream.range().collected())
        }
    }

    @Test func `the leading pictures of an open group are there`() async throws {
        let source = try await SourceDocument.openGOP.value
        try await withStream { stream, _ in
            let producer = try TestProducer(source, to: stream)
            let records = [
                try await producer.send(0), try await producer.send(1, opening: .openGOP),
            ]
            let output = try await joined(records, of: stream)
            #expect(output == (try await stream.range().collected()))
            let count = try ReadDocument(output).clusters[1].children.count
            #expect(count == source.clusters[1].children.count)
        }
    }

    @Test func `what does not fit begins a document of its own`() async throws {
        let source = try await SourceDocument.bunny.value
        let other = try await SourceDocument.openGOP.value
        try await withStream { stream, _ in
            let first = try TestProducer(source, to: stream)
            var records = [try await first.send(0), try await first.send(1)]
            await first.session.end(.finished)
            let second = try TestProducer(
                other,
                to: stream,
                zero: Timestamp(milliseconds: 60_000)
            )
            records.append(try await second.send(0))
            let output = try await joined(records, of: stream)
            #expect(documents(output).count == 2)
            #expect(output == (try await stream.range().collected()))
        }
    }
}

import MediaModel

@testable import Catalog

/// Rows for tests, named by what matters in them.
enum SegmentSamples {
    static let stream = StreamID(rawValue: 0xFFFF_0000_1234_5678)
    static let other = StreamID(rawValue: 7)

    static func time(_ milliseconds: Int64) -> Timestamp { Timestamp(milliseconds: milliseconds) }

    static func range(_ from: Int64, _ to: Int64) -> Range<Timestamp> { time(from)..<time(to) }

    static func number(_ sequence: UInt64, server: UInt64 = 1_000_000) -> FragmentNumber {
        FragmentNumber(sequence: sequence, serverMilliseconds: server, random: 77)
    }

    static func extent(_ row: SegmentRow, span: Int64, fragmentCount: UInt64 = 10) -> SegmentExtent
    {
        SegmentExtent(
            fragmentCount: fragmentCount,
            last: FragmentNumber(
                sequence: row.first.sequence + fragmentCount - 1,
                serverMilliseconds: row.first.serverMilliseconds,
                random: 5
            ),
            producerEnd: row.producerStart.advanced(byMilliseconds: span),
            serverEnd: row.serverStart.advanced(byMilliseconds: span),
            byteCount: 5000
        )
    }

    static func open(
        _ sequence: UInt64,
        producer: Int64,
        server: Int64 = 1_000_000,
        ordinal: UInt64? = nil,
        of stream: StreamID = stream,
        kind: SegmentKind = .own
    ) -> SegmentRow {
        SegmentRow(
            stream: stream,
            first: number(sequence, server: UInt64(clamping: server)),
            firstOrdinal: ordinal ?? sequence,
            kind: kind,
            headerByteCount: 300,
            producerStart: time(producer),
            serverStart: time(server)
        )
    }

    static func sealed(
        _ sequence: UInt64,
        producer: Int64,
        server: Int64 = 1_000_000,
        span: Int64 = 1000,
        of stream: StreamID = stream
    ) -> SegmentRow {
        var row = open(sequence, producer: producer, server: server, of: stream)
        row.extent = extent(row, span: span)
        row.state = .sealed
        return row
    }

    /// An open catalog in a folder, with the two streams.
    static func catalog(in folder: TemporaryFolder) async throws -> Catalog {
        let catalog = try Catalog.open(path: folder.file("catalog.sqlite"), integrityCheck: true)
        for (id, name) in [(stream, "dock-3"), (other, "gate")] {
            guard let name = StreamName(name) else { continue }
            try await catalog.insertStream(id, name: name, owner: .single)
        }
        return catalog
    }
}

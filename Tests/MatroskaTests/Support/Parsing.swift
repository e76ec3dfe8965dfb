import Matroska
import NIOCore
import Testing

typealias Event = MatroskaParser.Event

/// What a parser finds in bytes that are fed in pieces, and how it ends.
struct Outcome: Equatable {
    var events: [Event] = []
    var error: MatroskaError?

    /// Feeds `bytes` in pieces of `pieceLength`, then ends the document.
    init(_ bytes: Bytes, pieceLength: Int? = nil, limits: MatroskaLimits = MatroskaLimits()) {
        var parser = MatroskaParser(limits: limits)
        do throws(MatroskaError) {
            var rest = bytes.buffer
            while let piece = rest.readSlice(
                length: min(pieceLength ?? bytes.count, rest.readableBytes)
            ), piece.readableBytes > 0 {
                try parser.consume(piece, into: &events)
            }
            try parser.finish(into: &events)
        } catch {
            self.error = error
        }
    }
}

/// The events of a valid document, the same however it is split.
func events(
    of bytes: Bytes,
    limits: MatroskaLimits = MatroskaLimits(),
    sourceLocation: SourceLocation = #_sourceLocation
) -> [Event] {
    let whole = Outcome(bytes, limits: limits)
    #expect(whole.error == nil, sourceLocation: sourceLocation)
    #expect(whole == Outcome(bytes, pieceLength: 1, limits: limits), sourceLocation: sourceLocation)
    return whole.events
}

/// The error of an invalid document, the same however it is split.
func error(
    of bytes: Bytes,
    limits: MatroskaLimits = MatroskaLimits(),
    sourceLocation: SourceLocation = #_sourceLocation
) -> MatroskaError? {
    let whole = Outcome(bytes, limits: limits)
    #expect(whole == Outcome(bytes, pieceLength: 1, limits: limits), sourceLocation: sourceLocation)
    return whole.error
}

extension [Event] {
    /// The header, if one was found.
    var header: DocumentHeader? {
        for case .header(let header) in self { return header }
        return nil
    }

    /// All samples in order.
    var samples: [BlockSample] {
        flatMap { event in
            if case .child(_, let samples) = event { return samples }
            return []
        }
    }
}

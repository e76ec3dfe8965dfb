import NIOCore

/// A request's body on its way from the connection to whoever handles the request.
///
/// Pure. One piece at a time. Two sides, the pump and the reader, which wait for each other. The pump goes on when the reader
/// does not, so that a body that nobody wants any more is still taken off the connection.
struct BodyFlow {
    /// How receiving ended.
    enum End {
        case whole
        case broken(any Error)
    }

    /// What the reader gets.
    enum Reading {
        case piece(ByteBuffer)
        case failure(any Error)
        case end
        /// Nothing is there yet.
        case wait
    }

    private var piece: ByteBuffer?
    private var end: End?
    /// Why reading has to stop although more may come.
    private var cut: (any Error)?
    /// Whether nobody reads any more.
    private var isDropping = false

    /// A flow before the first piece, or of a request without a body.
    init(hasBody: Bool) {
        if !hasBody { end = .whole }
    }

    /// Whether everything came and was read.
    var isAtEnd: Bool {
        if case .whole = end { return piece == nil }
        return false
    }

    /// Whether the pump may put the next piece in.
    var hasRoom: Bool { piece == nil || isDropping || cut != nil }

    /// Puts a piece in; only while there is room.
    mutating func put(_ piece: ByteBuffer) {
        if !isDropping, cut == nil { self.piece = piece }
    }

    /// Nothing more comes.
    mutating func finish(_ end: End) {
        if self.end == nil { self.end = end }
    }

    /// Whether there is nothing for the reader.
    var isEmpty: Bool { piece == nil && cut == nil && end == nil }

    /// What there is for the reader; what was received before an end comes first.
    mutating func take() -> Reading {
        if let piece = piece.take() { return .piece(piece) }
        if let cut { return .failure(cut) }
        switch end {
        case .whole: return .end
        case .broken(let error): return .failure(error)
        case nil: return .wait
        }
    }

    /// Makes the reader stop with an error; the first one counts, and none after the end.
    mutating func cut(_ error: any Error) {
        if cut == nil, !isAtEnd { cut = error }
    }

    /// Nobody reads any more.
    mutating func drop() {
        isDropping = true
        piece = nil
    }
}

import NIOCore

/// Follows the clock in an MPEG transport stream (ISO/IEC 13818-1).
///
/// Every byte comes out again, in order; a packet that states the program clock begins a piece. Of
/// several programs, the first whose clock is seen counts.
struct TransportWalker {
    private static let packetBytes = 188

    private var pending = ByteBuffer()
    private var position: Int64 = 0
    private var piece = TimedPiece(bytes: ByteBuffer(), startsDocument: true)
    /// The packet identifier that carries the clock.
    private var clockPID: UInt16?
    /// The last clock in units of 1/90 000 s, counted on past 33 bits.
    private var clock: Int64?

    /// Takes the next bytes and gives the pieces that they complete.
    ///
    /// - Throws: ``CommandError`` where no packet begins although one should.
    mutating func feed(_ bytes: ByteBuffer) throws(CommandError) -> [TimedPiece] {
        pending.discardReadBytes()
        pending.writeImmutableBuffer(bytes)
        var pieces: [TimedPiece] = []
        while let packet = pending.readSlice(length: Self.packetBytes) {
            guard packet.getInteger(at: packet.readerIndex, as: UInt8.self) == 0x47 else {
                throw CommandError(
                    "At byte \(position) no transport stream packet begins; the media is damaged or of another kind."
                )
            }
            position += Int64(Self.packetBytes)
            if let milliseconds = clockMilliseconds(packet) {
                end(&pieces)
                piece.dueMilliseconds = milliseconds
            }
            piece.bytes.writeImmutableBuffer(packet)
        }
        end(&pieces)
        return pieces
    }

    /// Ends the input and gives what was held back, a cut packet included.
    mutating func finish() -> [TimedPiece] {
        var pieces: [TimedPiece] = []
        piece.bytes.writeBuffer(&pending)
        end(&pieces)
        return pieces
    }

    private mutating func end(_ pieces: inout [TimedPiece]) {
        if piece.bytes.readableBytes > 0 { pieces.append(piece) }
        piece = TimedPiece(bytes: ByteBuffer())
    }

    /// The program clock reference of a packet, if it carries the one that counts (2.4.3.4 and .5).
    private mutating func clockMilliseconds(_ packet: ByteBuffer) -> Int64? {
        let bytes = packet.readableBytesView
        func byte(_ index: Int) -> UInt8 { bytes[bytes.startIndex + index] }
        let hasAdaptation = byte(3) & 0x20 != 0
        guard hasAdaptation, byte(4) >= 7, byte(5) & 0x10 != 0 else { return nil }
        let pid = UInt16(byte(1) & 0x1F) << 8 | UInt16(byte(2))
        if clockPID == nil { clockPID = pid }
        guard pid == clockPID else { return nil }
        let base =
            (6...9).reduce(Int64(0)) { $0 << 8 | Int64(byte($1)) } << 1 | Int64(byte(10) >> 7)
        let unwrapped = Self.unwrapped(base, after: clock)
        clock = unwrapped
        return unwrapped / 90
    }

    /// A clock of 33 bits as the value nearest to the one before.
    static func unwrapped(_ base: Int64, after last: Int64?) -> Int64 {
        guard let last else { return base }
        let period = Int64(1) << 33
        var difference = (base - last) % period
        if difference >= period / 2 { difference -= period }
        if difference < -period / 2 { difference += period }
        return last + difference
    }
}

package import NIOCore
import MediaModel

extension InputFormat {
    /// What the first bytes of a body tell.
    package enum Signature: Equatable, Sendable {
        /// They are the beginning of this container.
        case format(InputFormat)
        /// More bytes may settle it; never given for ``signatureByteCount`` bytes or more.
        case undecided
        /// They begin no container of ours.
        case unknown
    }

    /// How many first bytes settle the signature: three sync bytes of MPEG-TS.
    package static let signatureByteCount = 2 * transportPacketByteCount + 1

    private static let transportPacketByteCount = 188

    /// Looks for a container's signature.
    ///
    /// - Parameters:
    ///   - first: The first bytes of the body, at most ``signatureByteCount`` of which are looked at.
    ///   - isComplete: Whether the body ends here, so that no more bytes can be waited for.
    /// - Returns: The container, or whether more bytes may tell.
    package static func signature(of first: ByteBuffer, isComplete: Bool = false) -> Signature {
        signature(of: first.readableBytesUInt8Span, isComplete: isComplete)
    }

    /// The container whose signature the first bytes are, if they are enough to tell.
    package static func sniff(_ first: ByteBuffer) -> InputFormat? {
        switch signature(of: first, isComplete: true) {
        case .format(let format): format
        case .undecided, .unknown: nil
        }
    }

    private static func signature(of bytes: Span<UInt8>, isComplete: Bool) -> Signature {
        var isOpen = false
        for format in allCases {
            switch match(format, bytes, isComplete: isComplete) {
            case .yes: return .format(format)
            case .no: continue
            case .soFar: isOpen = true
            }
        }
        return isOpen && !isComplete ? .undecided : .unknown
    }

    private enum Match {
        case yes
        case no
        /// Nothing speaks against it yet.
        case soFar
    }

    private static func match(
        _ format: InputFormat,
        _ bytes: Span<UInt8>,
        isComplete: Bool
    ) -> Match {
        // Whether all is there that will be looked at.
        let isWhole = isComplete || bytes.count >= signatureByteCount
        switch format {
        case .mpegTS: return matchTransportStream(bytes, isWhole: isWhole)
        case .matroska: return literal([0x1A, 0x45, 0xDF, 0xA3], at: 0, bytes)
        case .flv: return literal([0x46, 0x4C, 0x56, 0x01], at: 0, bytes)
        case .mp4: return matchBox(bytes)
        case .ogg: return literal([0x4F, 0x67, 0x67, 0x53, 0x00], at: 0, bytes)
        case .adts: return matchADTS(bytes, isWhole: isWhole)
        }
    }

    /// A sync byte wherever a packet of 188 bytes begins, and at least one whole packet.
    private static func matchTransportStream(_ bytes: Span<UInt8>, isWhole: Bool) -> Match {
        var index = 0
        while index < min(bytes.count, signatureByteCount) {
            if bytes[index] != 0x47 { return .no }
            index += transportPacketByteCount
        }
        return isWhole && bytes.count >= transportPacketByteCount ? .yes : .soFar
    }

    /// A first box that MP4 files and media segments begin with (ISO/IEC 14496-12, 4.3 and 8.16).
    private static func matchBox(_ bytes: Span<UInt8>) -> Match {
        var best = Match.no
        for name in ["ftyp", "styp", "moof", "moov", "sidx", "emsg"] {
            switch literal(Array(name.utf8), at: 4, bytes) {
            case .yes: return .yes
            case .soFar: best = .soFar
            case .no: continue
            }
        }
        return best
    }

    /// An ADTS frame followed, as far as can be seen, by another.
    private static func matchADTS(_ bytes: Span<UInt8>, isWhole: Bool) -> Match {
        guard bytes.count >= ADTSHeader.byteCountMin else {
            return literal([0xFF], at: 0, bytes) == .no ? .no : .soFar
        }
        guard let first = ADTSHeader(bytes) else { return .no }
        guard bytes.count >= first.frameByteCount + 2 else { return isWhole ? .yes : .soFar }
        let next = bytes.extracting(droppingFirst: first.frameByteCount)
        return next[0] == 0xFF && next[1] & 0xF6 == 0xF0 ? .yes : .no
    }

    private static func literal(_ expected: [UInt8], at offset: Int, _ bytes: Span<UInt8>) -> Match
    {
        for (index, byte) in expected.enumerated() {
            guard offset + index < bytes.count else { return .soFar }
            if bytes[offset + index] != byte { return .no }
        }
        return .yes
    }
}

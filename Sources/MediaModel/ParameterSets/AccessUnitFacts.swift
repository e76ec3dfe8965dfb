/// What the NAL units of one sample tell about starting to decode there.
package struct AccessUnitFacts: Equatable, Sendable {
    /// Whether the sample is an IDR picture: nothing after it refers to anything before it.
    package private(set) var isInstantRefresh = false

    /// Whether the sample is a random access point of H.265 (IRAP).
    package private(set) var isRandomAccess = false

    /// Whether pictures that follow in decode order and precede in output order may refer to
    /// pictures before this one: H.265 CRA and BLA_W_LP.
    package private(set) var isOpenRandomAccess = false

    /// Whether the sample is a leading picture that can only be decoded from before its CRA (RASL).
    package private(set) var isSkippedLeading = false

    /// Whether a recovery point SEI is there (ITU-T H.264, D.2.8; ITU-T H.265, D.3.8).
    package private(set) var hasRecoveryPoint = false

    /// Whether any parameter set is in band.
    package private(set) var hasParameterSets = false

    /// No facts yet.
    package init() {}

    /// Whether decoding can start here by what the NAL units say.
    package var isSync: Bool { isInstantRefresh || isRandomAccess || hasRecoveryPoint }

    /// Takes one NAL unit into account.
    ///
    /// - Parameters:
    ///   - unit: A NAL unit with its header, at least one byte.
    ///   - codec: The codec it belongs to.
    package mutating func add(_ unit: Span<UInt8>, codec: NALCodec) {
        guard !unit.isEmpty else { return }
        switch codec.kind(firstByte: unit[0]) {
        case .instantRefresh:
            isInstantRefresh = true
            isRandomAccess = isRandomAccess || codec == .h265
        case .closedRandomAccess:
            isRandomAccess = true
        case .openRandomAccess:
            isRandomAccess = true
            isOpenRandomAccess = true
        case .skippedLeading:
            isSkippedLeading = true
        case .supplemental:
            if !hasRecoveryPoint {
                hasRecoveryPoint = SupplementalInformation.hasRecoveryPoint(unit, codec: codec)
            }
        case .videoParameters, .sequenceParameters, .pictureParameters:
            hasParameterSets = true
        case .picture, .accessUnitDelimiter, .filler, .other:
            break
        }
    }
}

/// Supplemental enhancement information (ITU-T H.264, 7.3.2.3; ITU-T H.265, 7.3.2.4).
enum SupplementalInformation {
    /// The payload type of a recovery point in both codecs.
    private static let recoveryPoint = 6

    /// Bytes of a SEI unit that are looked at: a recovery point comes before bulky payloads.
    private static let byteCountMax = 1024

    /// Whether one of the messages is a recovery point.
    static func hasRecoveryPoint(_ unit: Span<UInt8>, codec: NALCodec) -> Bool {
        let bytes = RawPayload.unescaped(unit, limit: byteCountMax)
        var index = codec.headerByteCount
        // A message is at least two bytes; the last byte holds the trailing bits.
        while index + 2 <= bytes.count {
            var values = [0, 0]
            for field in 0..<2 {
                while index < bytes.count, bytes[index] == 0xFF {
                    values[field] += 255
                    index += 1
                }
                guard index < bytes.count else { return false }
                values[field] += Int(bytes[index])
                index += 1
            }
            if values[0] == recoveryPoint { return true }
            index += values[1]
        }
        return false
    }
}

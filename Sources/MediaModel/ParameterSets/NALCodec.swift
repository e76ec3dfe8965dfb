/// A video codec whose samples are made of NAL units.
package enum NALCodec: Sendable {
    case h264
    case h265

    /// The NAL-structured codec of a track, if it is one.
    package init?(_ codec: Codec) {
        switch codec {
        case .h264: self = .h264
        case .h265: self = .h265
        default: return nil
        }
    }

    /// The kind of a NAL unit, from its first byte.
    ///
    /// `nal_unit_type`: ITU-T H.264 table 7-1, ITU-T H.265 table 7-1.
    @inlinable
    package func kind(firstByte: UInt8) -> NALUnitKind {
        switch self {
        case .h264:
            switch firstByte & 0x1F {
            case 1...4: .picture
            case 5: .instantRefresh
            case 6: .supplemental
            case 7: .sequenceParameters
            case 8: .pictureParameters
            case 9: .accessUnitDelimiter
            case 12: .filler
            default: .other
            }
        case .h265:
            switch (firstByte >> 1) & 0x3F {
            case 0...7, 10...15: .picture
            case 8, 9: .skippedLeading
            case 16, 21: .openRandomAccess
            case 17, 18: .closedRandomAccess
            case 19, 20: .instantRefresh
            case 32: .videoParameters
            case 33: .sequenceParameters
            case 34: .pictureParameters
            case 35: .accessUnitDelimiter
            case 38: .filler
            case 39, 40: .supplemental
            default: .other
            }
        }
    }

    /// Bytes of the NAL unit header.
    @inlinable
    package var headerByteCount: Int {
        switch self {
        case .h264: 1
        case .h265: 2
        }
    }
}

/// What a NAL unit carries, as far as storing samples has to know.
package enum NALUnitKind: Sendable {
    /// Part of a picture at which decoding cannot start.
    case picture
    /// Part of an IDR picture.
    case instantRefresh
    /// Part of an H.265 BLA picture without leading pictures to skip (BLA_W_RADL, BLA_N_LP).
    case closedRandomAccess
    /// Part of an H.265 CRA or BLA_W_LP picture: leading pictures that follow it may refer to
    /// pictures before it.
    case openRandomAccess
    /// Part of an H.265 RASL picture, which refers to pictures before the CRA it follows.
    case skippedLeading
    /// SEI.
    case supplemental
    /// VPS.
    case videoParameters
    /// SPS.
    case sequenceParameters
    /// PPS.
    case pictureParameters
    /// AUD; says nothing that the container does not.
    case accessUnitDelimiter
    /// Filler data; nothing but length.
    case filler
    /// Anything else.
    case other

    /// Whether the unit is dropped on the way into the store.
    @inlinable
    package var isDropped: Bool {
        self == .accessUnitDelimiter || self == .filler
    }
}

/// What a track carries.
package enum TrackKind: UInt8, Sendable, CaseIterable {
    case video = 1
    case audio = 2
    case data = 17
}

/// One timed sequence of samples and what a decoder must know to play it.
package struct Track: Equatable, Sendable {
    /// Matroska TrackNumber, 1 to 127; the key of blocks and of the sample table.
    package var number: UInt8

    /// Video, audio or data.
    package var kind: TrackKind

    /// Matroska CodecID, as in `V_MPEG4/ISO/AVC` (RFC 9559, 27).
    package var codecID: String

    /// Matroska CodecPrivate; empty when the codec needs none.
    package var codecPrivate: [UInt8]

    /// The ticks of the source in which sample times are kept.
    package var timeBase: TimeBase

    /// Picture width in pixels; zero for other tracks.
    package var width: UInt32

    /// Picture height in pixels; zero for other tracks.
    package var height: UInt32

    /// Audio samples per second; zero for other tracks.
    package var sampleRate: UInt32

    /// Audio channels; zero for other tracks.
    package var channelCount: UInt32

    /// Bits per audio sample for PCM; zero where it does not apply.
    package var bitDepth: UInt32

    /// How long one sample lasts, in `timeBase` ticks, where the source states a constant; else zero.
    package var defaultDuration: UInt32

    /// A track from its parts; sizes and rates that do not apply stay zero.
    package init(
        number: UInt8,
        kind: TrackKind,
        codecID: String,
        codecPrivate: [UInt8] = [],
        timeBase: TimeBase,
        width: UInt32 = 0,
        height: UInt32 = 0,
        sampleRate: UInt32 = 0,
        channelCount: UInt32 = 0,
        bitDepth: UInt32 = 0,
        defaultDuration: UInt32 = 0
    ) {
        self.number = number
        self.kind = kind
        self.codecID = codecID
        self.codecPrivate = codecPrivate
        self.timeBase = timeBase
        self.width = width
        self.height = height
        self.sampleRate = sampleRate
        self.channelCount = channelCount
        self.bitDepth = bitDepth
        self.defaultDuration = defaultDuration
    }

    /// The track's codec family.
    package var codec: Codec { Codec(codecID: codecID) }
}

/// Codec families that some part of the server treats in a way of its own.
package enum Codec: String, Sendable {
    case h264, h265, av1, vp8, vp9, mpeg4, mjpeg
    case aac, opus, g711, pcm, mp3, ac3, flac, vorbis
    case other

    /// The family of a Matroska CodecID, with the misprints that producers are known to copy.
    package init(codecID: String) {
        switch codecID {
        case "V_MPEG4/ISO/AVC", "V_MPEG/ISO/AVC": self = .h264
        case "V_MPEGH/ISO/HEVC", "V_MPEG/ISO/HEVC": self = .h265
        case "V_AV1": self = .av1
        case "V_VP8": self = .vp8
        case "V_VP9": self = .vp9
        case "V_MPEG4/ISO/ASP", "V_MPEG4/ISO/SP", "V_MPEG4/ISO/AP": self = .mpeg4
        case "V_MJPEG": self = .mjpeg
        case "A_OPUS": self = .opus
        case "A_MS/ACM": self = .g711
        case "A_MPEG/L3": self = .mp3
        case "A_AC3", "A_EAC3": self = .ac3
        case "A_FLAC": self = .flac
        case "A_VORBIS": self = .vorbis
        default:
            if codecID.hasPrefix("A_AAC") {
                self = .aac
            } else if codecID.hasPrefix("A_PCM/") {
                self = .pcm
            } else {
                self = .other
            }
        }
    }
}

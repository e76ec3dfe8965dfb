import CFFmpeg
import MediaModel

/// How a codec of libavcodec is called and set up in Matroska (RFC 9559, 27).
struct MatroskaCodec {
    /// CodecID.
    let codecID: String

    /// What kind of track carries it.
    let kind: TrackKind

    /// The Matroska name of a codec, or `nil` when such tracks are not taken.
    init?(_ parameters: AVCodecParameters) {
        switch unsafe parameters.codec_type {
        case AVMEDIA_TYPE_VIDEO: kind = .video
        case AVMEDIA_TYPE_AUDIO: kind = .audio
        case AVMEDIA_TYPE_DATA, AVMEDIA_TYPE_SUBTITLE: kind = .data
        default: return nil
        }
        guard let name = Self.names[unsafe parameters.codec_id.rawValue] else { return nil }
        codecID = name
    }

    private static let names: [UInt32: String] = [
        AV_CODEC_ID_H264.rawValue: "V_MPEG4/ISO/AVC",
        AV_CODEC_ID_HEVC.rawValue: "V_MPEGH/ISO/HEVC",
        AV_CODEC_ID_VP8.rawValue: "V_VP8",
        AV_CODEC_ID_VP9.rawValue: "V_VP9",
        AV_CODEC_ID_AV1.rawValue: "V_AV1",
        AV_CODEC_ID_MPEG4.rawValue: "V_MPEG4/ISO/ASP",
        AV_CODEC_ID_MPEG2VIDEO.rawValue: "V_MPEG2",
        AV_CODEC_ID_MJPEG.rawValue: "V_MJPEG",
        AV_CODEC_ID_AAC.rawValue: "A_AAC",
        AV_CODEC_ID_OPUS.rawValue: "A_OPUS",
        AV_CODEC_ID_VORBIS.rawValue: "A_VORBIS",
        AV_CODEC_ID_FLAC.rawValue: "A_FLAC",
        AV_CODEC_ID_MP3.rawValue: "A_MPEG/L3",
        AV_CODEC_ID_MP2.rawValue: "A_MPEG/L2",
        AV_CODEC_ID_AC3.rawValue: "A_AC3",
        AV_CODEC_ID_EAC3.rawValue: "A_EAC3",
        AV_CODEC_ID_PCM_MULAW.rawValue: "A_MS/ACM",
        AV_CODEC_ID_PCM_ALAW.rawValue: "A_MS/ACM",
        AV_CODEC_ID_PCM_U8.rawValue: "A_PCM/INT/LIT",
        AV_CODEC_ID_PCM_S16LE.rawValue: "A_PCM/INT/LIT",
        AV_CODEC_ID_PCM_S24LE.rawValue: "A_PCM/INT/LIT",
        AV_CODEC_ID_PCM_S16BE.rawValue: "A_PCM/INT/BIG",
        AV_CODEC_ID_PCM_S24BE.rawValue: "A_PCM/INT/BIG",
        AV_CODEC_ID_TIMED_ID3.rawValue: "D_TIMED_ID3",
        AV_CODEC_ID_SMPTE_KLV.rawValue: "D_SMPTE_KLV",
        AV_CODEC_ID_SCTE_35.rawValue: "D_SCTE_35",
        AV_CODEC_ID_SUBRIP.rawValue: "S_TEXT/UTF8",
        AV_CODEC_ID_TEXT.rawValue: "S_TEXT/UTF8",
        AV_CODEC_ID_ASS.rawValue: "S_TEXT/ASS",
    ]

    /// What a ``SampleNormalizer`` is to be told of what libavformat calls extradata: Matroska's
    /// CodecPrivate, or what H.264 and H.265 have instead.
    ///
    /// - Parameters:
    ///   - extradata: As libavformat has it.
    ///   - parameters: The codec, rate, channels and bits.
    /// - Returns: Empty where nothing is known or needed.
    static func setUp(extradata: [UInt8], _ parameters: AVCodecParameters) -> [UInt8] {
        switch unsafe parameters.codec_id {
        case AV_CODEC_ID_FLAC:
            // libavformat keeps STREAMINFO alone; Matroska wants the stream's beginning, with
            // STREAMINFO as the last metadata block.
            guard extradata.count == 34 else { return extradata }
            return Array("fLaC".utf8) + [0x80, 0, 0, 34] + extradata
        case AV_CODEC_ID_PCM_MULAW: return unsafe waveFormat(tag: 7, parameters)
        case AV_CODEC_ID_PCM_ALAW: return unsafe waveFormat(tag: 6, parameters)
        case AV_CODEC_ID_MP3, AV_CODEC_ID_MP2, AV_CODEC_ID_AC3, AV_CODEC_ID_EAC3,
            AV_CODEC_ID_PCM_U8, AV_CODEC_ID_PCM_S16LE, AV_CODEC_ID_PCM_S24LE,
            AV_CODEC_ID_PCM_S16BE, AV_CODEC_ID_PCM_S24BE, AV_CODEC_ID_MJPEG, AV_CODEC_ID_VP8:
            return []
        default: return extradata
        }
    }

    /// A `WAVEFORMATEX` without extension, the CodecPrivate of `A_MS/ACM`.
    private static func waveFormat(tag: UInt16, _ parameters: AVCodecParameters) -> [UInt8] {
        let channels = unsafe UInt16(clamping: parameters.ch_layout.nb_channels)
        let rate = unsafe UInt32(clamping: parameters.sample_rate)
        let byteRate = rate.multipliedReportingOverflow(by: UInt32(channels)).partialValue
        var bytes: [UInt8] = []
        for value in [tag, channels] { bytes.appendLittleEndian(UInt32(value), count: 2) }
        bytes.appendLittleEndian(rate, count: 4)
        bytes.appendLittleEndian(byteRate, count: 4)
        for value in [channels, 8, 0] { bytes.appendLittleEndian(UInt32(value), count: 2) }
        return bytes
    }
}

extension [UInt8] {
    fileprivate mutating func appendLittleEndian(_ value: UInt32, count: Int) {
        for index in 0..<count { append(UInt8(truncatingIfNeeded: value >> UInt32(8 * index))) }
    }
}

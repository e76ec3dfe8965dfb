/// A container that producers may send and libavformat reads.
///
/// Which one it is is decided here, from the media type or from a signature, before libavformat sees
/// a byte: its own probing knows playlists and descriptions that refer to other resources.
package enum InputFormat: String, Sendable, CaseIterable {
    /// MPEG transport stream (ISO/IEC 13818-1).
    case mpegTS = "mpegts"
    /// Matroska and WebM (RFC 9559).
    case matroska
    /// Flash Video.
    case flv
    /// MP4 and its relatives, fragmented or with its index in front (ISO/IEC 14496-12).
    case mp4 = "mov"
    /// Ogg (RFC 3533).
    case ogg
    /// AAC frames in an audio data transport stream (ISO/IEC 14496-3, 1.A.2).
    case adts = "aac"

    /// libavformat's name of the demuxer.
    var demuxerName: String { rawValue }

    /// What `AVFormatContext.iformat->name` must be found in for the demuxer to be opened.
    var whitelist: String {
        switch self {
        case .matroska: "matroska,webm"
        case .mp4: "mov,mp4,m4a,3gp,3g2,mj2"
        case .mpegTS, .flv, .ogg, .adts: rawValue
        }
    }

    /// The name a person knows.
    package var displayName: String {
        switch self {
        case .mpegTS: "MPEG-TS"
        case .matroska: "Matroska"
        case .flv: "FLV"
        case .mp4: "MP4"
        case .ogg: "Ogg"
        case .adts: "AAC (ADTS)"
        }
    }

    /// The format that a media type names (RFC 6838), parameters ignored.
    ///
    /// Gives `nil` for types that name no container of ours, such as `application/octet-stream`.
    package init?(mediaType: some StringProtocol) {
        let name = mediaType.prefix { $0 != ";" }.lowercased()
        switch name.trimmed {
        case "video/mp2t", "video/mpegts", "video/vnd.dlna.mpeg-tts": self = .mpegTS
        case "video/x-matroska", "video/matroska", "video/webm", "audio/webm", "audio/matroska",
            "audio/x-matroska", "video/x-matroska-3d", "video/matroska-3d":
            self = .matroska
        case "video/x-flv", "video/flv": self = .flv
        case "video/mp4", "audio/mp4", "video/quicktime", "video/iso.segment", "audio/x-m4a":
            self = .mp4
        case "video/ogg", "audio/ogg", "application/ogg": self = .ogg
        case "audio/aac", "audio/aacp", "audio/x-aac": self = .adts
        default: return nil
        }
    }
}

extension StringProtocol {
    /// The text without spaces and tabs around it.
    fileprivate var trimmed: String {
        String(
            drop { $0 == " " || $0 == "\t" }.reversed().drop { $0 == " " || $0 == "\t" }.reversed()
        )
    }
}

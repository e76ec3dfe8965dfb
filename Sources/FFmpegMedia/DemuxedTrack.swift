package import MediaModel

/// A track of a container as the demuxer knows it, in Matroska's terms.
package struct DemuxedTrack: Equatable, Sendable {
    /// Position in ``Demuxer/tracks``; what ``DemuxedSample/track`` refers to.
    package var index: Int

    /// Video, audio or data.
    package var kind: TrackKind

    /// Matroska CodecID (RFC 9559, 27).
    package var codecID: String

    /// Matroska CodecPrivate for samples as they come out; empty while it is not known and for
    /// codecs that have none.
    package var codecPrivate: [UInt8]

    /// The ticks of the source, in which all times of the track's samples are.
    package var timeBase: TimeBase

    /// Picture width in pixels; zero for other tracks and while it is not known.
    package var width: UInt32 = 0

    /// Picture height in pixels; zero for other tracks and while it is not known.
    package var height: UInt32 = 0

    /// Audio samples per second; zero for other tracks and while it is not known.
    package var sampleRate: UInt32 = 0

    /// Audio channels; zero for other tracks and while it is not known.
    package var channelCount: UInt32 = 0

    /// Bits per audio sample for PCM; zero where it does not apply.
    package var bitDepth: UInt32 = 0

    /// How long a picture lasts on average, in ticks, as far as the source tells; zero when unknown.
    package var averageFrameDuration: Int64 = 0

    /// How many pictures may come before another in decode order and after it in output order.
    ///
    /// From the SPS where it says so; otherwise 2 for H.264 and H.265, and 0 for every other codec.
    package var videoDelay: Int = 0

    /// Whether the container states decode times.
    ///
    /// `false` for Matroska, whose video samples come without.
    package var statesDecodeTimes: Bool

    /// Whether codec and parameters are known well enough to write a track header.
    ///
    /// A stream joined in mid-fragment shows its tracks at once; sizes and CodecPrivate follow with
    /// the first sync sample.
    package var isReady: Bool {
        switch Codec(codecID: codecID) {
        case .h264, .h265: !codecPrivate.isEmpty && width > 0 && height > 0
        case .aac, .opus, .vorbis, .flac: !codecPrivate.isEmpty && sampleRate > 0
        case .g711, .pcm, .mp3, .ac3: sampleRate > 0 && channelCount > 0
        case .av1, .vp8, .vp9, .mpeg4, .mjpeg: width > 0 && height > 0
        // Layers I and II of MPEG audio.
        case .other: kind != .audio || sampleRate > 0 && channelCount > 0
        }
    }

    /// The track as it goes into a header.
    ///
    /// - Parameter number: Matroska TrackNumber, 1 to 127.
    /// - Returns: The track with what is known now.
    package func track(number: UInt8) -> Track {
        Track(
            number: number,
            kind: kind,
            codecID: codecID,
            codecPrivate: codecPrivate,
            timeBase: timeBase,
            width: width,
            height: height,
            sampleRate: sampleRate,
            channelCount: channelCount,
            bitDepth: bitDepth
        )
    }
}

/// A stream of the container that is not delivered.
package struct SkippedStream: Equatable, Sendable {
    /// Position among the container's streams.
    package let stream: Int

    /// What it is and why it is left out, as a sentence.
    package let reason: String
}

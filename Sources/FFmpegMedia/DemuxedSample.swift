package import NIOCore

/// One sample in the form in which it is stored.
package struct DemuxedSample: Sendable {
    /// Position of its track in ``Demuxer/tracks``.
    package var track: Int

    /// The sample's bytes: H.264 and H.265 as NAL units with 4-byte lengths, without access unit
    /// delimiters and filler; AAC raw; everything else as it came.
    package var payload: ByteBuffer

    /// Presentation time in source ticks, unwrapped; `nil` where the source does not tell.
    package var pts: Int64?

    /// Decode time in source ticks, unwrapped; `nil` where the source does not tell.
    ///
    /// Audio without reordering is decoded when it is presented.
    package var dts: Int64?

    /// How long it lasts in source ticks; zero when unknown.
    package var duration: Int64

    /// Whether decoding can start here, as the container or the parser says.
    package var isSync: Bool

    /// Whether it is a sync sample behind which samples may come that refer to pictures before it:
    /// CRA and BLA_W_LP of H.265, a recovery point that is no IDR picture of H.264.
    package var startsOpenGOP = false

    /// Whether bytes of it are known to be lost or damaged.
    package var isCorrupt = false

    /// The track's CodecPrivate from this sample on, where that or another parameter of the track
    /// differs from before; empty for codecs that have none.
    ///
    /// ``Demuxer/tracks`` says the same already when the sample is returned.
    package var newCodecPrivate: [UInt8]?
}

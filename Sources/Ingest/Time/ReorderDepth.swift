package import MediaModel

/// How many frames a decoder of a track must hold back before it can show them in order.
package enum ReorderDepth {
    /// What is assumed for H.264 and H.265 when the parameters do not say.
    package static let assumed = 2

    /// The depth that a track's parameter sets state.
    ///
    /// `max_num_reorder_frames` of H.264 and `sps_max_num_reorder_pics` of H.265; ``assumed`` where
    /// they are not found, 0 for other codecs.
    package static func of(_ track: Track) -> Int {
        guard let codec = NALCodec(track.codec) else { return 0 }
        let record = try? DecoderConfiguration(record: track.codecPrivate.span, codec: codec)
        return record?.parameterSets.pictureFacts?.reorderCountMax ?? assumed
    }
}

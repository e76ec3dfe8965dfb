/// What an H.265 sequence parameter set says about its pictures (ITU-T H.265, 7.3.2.2.1).
package struct H265SequenceParameters: Equatable, Sendable {
    /// `general_profile_space`, tier flag and `general_profile_idc`, as one byte.
    package private(set) var profile: UInt8 = 0

    /// `general_profile_compatibility_flag`s, the first in the most significant bit.
    package private(set) var compatibility: UInt32 = 0

    /// The 48 bits of source and constraint flags that follow, in the low bits.
    package private(set) var constraints: UInt64 = 0

    /// `general_level_idc`: thirty times the level.
    package private(set) var level: UInt8 = 0

    /// `sps_seq_parameter_set_id`, 0 to 15.
    package private(set) var id: UInt8 = 0

    /// Temporal sub-layers, 1 to 7.
    package private(set) var temporalLayerCount: UInt8 = 1

    /// `sps_temporal_id_nesting_flag`.
    package private(set) var isTemporallyNested = false

    /// `chroma_format_idc`: 0 monochrome, 1 4:2:0, 2 4:2:2, 3 4:4:4.
    package private(set) var chromaFormat: UInt8 = 1

    /// Bits per luma sample, 8 to 16.
    package private(set) var lumaBitDepth: UInt8 = 8

    /// Bits per chroma sample, 8 to 16.
    package private(set) var chromaBitDepth: UInt8 = 8

    /// Width of the picture in pixels, inside the conformance window.
    package private(set) var width: UInt32 = 0

    /// Height of the picture in pixels, inside the conformance window.
    package private(set) var height: UInt32 = 0

    /// `sps_max_num_reorder_pics` of the highest temporal sub-layer: how many pictures may come
    /// before another in decode order and after it in output order.
    package private(set) var reorderCountMax = 0

    /// Reads a sequence parameter set up to its reordering limits.
    ///
    /// - Parameter unit: The NAL unit with its two-byte header, without start code or length.
    /// - Throws: When the unit is no SPS, ends early or states an impossible value.
    package init(nalUnit unit: Span<UInt8>) throws(ParameterSetError) {
        guard unit.count >= 2, (unit[0] >> 1) & 0x3F == 33 else {
            throw ParameterSetError(.wrongKind, "H.265 SPS: the NAL unit is of another type")
        }
        var reader = BitReader(
            RawPayload.unescaped(unit, limit: H264SequenceParameters.byteCountMax),
            of: "H.265 SPS"
        )
        try reader.skip(16 + 4)
        let subLayers = Int(try reader.bits(3))
        guard subLayers <= 6 else {
            throw ParameterSetError(
                .outOfRange,
                "H.265 SPS: sps_max_sub_layers_minus1 is \(subLayers)"
            )
        }
        temporalLayerCount = UInt8(subLayers + 1)
        isTemporallyNested = try reader.flag()
        try readProfile(subLayers: subLayers, &reader)
        id = UInt8(try reader.unsigned(max: 15, "sps_seq_parameter_set_id"))
        try readSize(&reader)
        lumaBitDepth = 8 + UInt8(try reader.unsigned(max: 8, "bit_depth_luma_minus8"))
        chromaBitDepth = 8 + UInt8(try reader.unsigned(max: 8, "bit_depth_chroma_minus8"))
        _ = try reader.unsigned(max: 12, "log2_max_pic_order_cnt_lsb_minus4")
        let statesEachLayer = try reader.flag()
        for _ in (statesEachLayer ? 0 : subLayers)...subLayers {
            _ = try reader.unsigned(max: 15, "sps_max_dec_pic_buffering_minus1")
            reorderCountMax = Int(try reader.unsigned(max: 15, "sps_max_num_reorder_pics"))
            _ = try reader.unsigned(max: .max - 1, "sps_max_latency_increase_plus1")
        }
    }

    /// Reads `profile_tier_level` (ITU-T H.265, 7.3.3).
    private mutating func readProfile(
        subLayers: Int,
        _ reader: inout BitReader
    ) throws(ParameterSetError) {
        profile = UInt8(try reader.bits(8))
        compatibility = try reader.bits(32)
        constraints = UInt64(try reader.bits(32)) << 16 | UInt64(try reader.bits(16))
        level = UInt8(try reader.bits(8))
        guard subLayers > 0 else { return }
        var bitCount = 0
        for _ in 0..<subLayers {
            if try reader.flag() { bitCount += 88 }
            if try reader.flag() { bitCount += 8 }
        }
        try reader.skip((8 - subLayers) * 2 + bitCount)
    }

    private mutating func readSize(_ reader: inout BitReader) throws(ParameterSetError) {
        chromaFormat = UInt8(try reader.unsigned(max: 3, "chroma_format_idc"))
        var separatePlanes = false
        if chromaFormat == 3 { separatePlanes = try reader.flag() }
        let codedWidth = Int64(try reader.unsigned(max: 1 << 20, "pic_width_in_luma_samples"))
        let codedHeight = Int64(try reader.unsigned(max: 1 << 20, "pic_height_in_luma_samples"))
        var window: (left: Int64, right: Int64, top: Int64, bottom: Int64) = (0, 0, 0, 0)
        if try reader.flag() {
            window.left = Int64(try reader.unsigned(max: 1 << 20, "conf_win_left_offset"))
            window.right = Int64(try reader.unsigned(max: 1 << 20, "conf_win_right_offset"))
            window.top = Int64(try reader.unsigned(max: 1 << 20, "conf_win_top_offset"))
            window.bottom = Int64(try reader.unsigned(max: 1 << 20, "conf_win_bottom_offset"))
        }
        let array = separatePlanes ? 0 : chromaFormat
        let unitX: Int64 = array == 1 || array == 2 ? 2 : 1
        let unitY: Int64 = array == 1 ? 2 : 1
        let shownWidth = codedWidth - unitX * (window.left + window.right)
        let shownHeight = codedHeight - unitY * (window.top + window.bottom)
        guard shownWidth > 0, shownHeight > 0 else {
            throw ParameterSetError(.outOfRange, "H.265 SPS: the window leaves no picture")
        }
        width = UInt32(shownWidth)
        height = UInt32(shownHeight)
    }
}

/// What an H.264 sequence parameter set says about its pictures (ITU-T H.264, 7.3.2.1.1).
package struct H264SequenceParameters: Equatable, Sendable {
    /// `profile_idc`.
    package private(set) var profile: UInt8 = 0

    /// The six `constraint_set` flags and two reserved bits, as one byte.
    package private(set) var constraints: UInt8 = 0

    /// `level_idc`: ten times the level.
    package private(set) var level: UInt8 = 0

    /// `seq_parameter_set_id`, 0 to 31.
    package private(set) var id: UInt8 = 0

    /// `chroma_format_idc`: 0 monochrome, 1 4:2:0, 2 4:2:2, 3 4:4:4.
    package private(set) var chromaFormat: UInt8 = 1

    /// Bits per luma sample, 8 to 14.
    package private(set) var lumaBitDepth: UInt8 = 8

    /// Bits per chroma sample, 8 to 14.
    package private(set) var chromaBitDepth: UInt8 = 8

    /// Width of the picture in pixels, after cropping.
    package private(set) var width: UInt32 = 0

    /// Height of the picture in pixels, after cropping.
    package private(set) var height: UInt32 = 0

    /// Whether a sample may hold a single field.
    package private(set) var mayHaveFields = false

    /// How many pictures may come before another in decode order and after it in output order.
    ///
    /// `max_num_reorder_frames` (ITU-T H.264, E.2.1), or zero where the profile or
    /// `pic_order_cnt_type` 2 rules reordering out; `nil` where nothing is said.
    package private(set) var reorderCountMax: Int?

    /// Bytes of a parameter set that are looked at; the largest useful one is far smaller.
    static let byteCountMax = 4096

    /// Reads a sequence parameter set.
    ///
    /// A broken VUI, which some cameras send, counts as absent.
    ///
    /// - Parameter unit: The NAL unit with its one-byte header, without start code or length.
    /// - Throws: When the unit is no SPS, ends early or states an impossible value.
    package init(nalUnit unit: Span<UInt8>) throws(ParameterSetError) {
        guard !unit.isEmpty, unit[0] & 0x1F == 7 else {
            throw ParameterSetError(.wrongKind, "H.264 SPS: the NAL unit is of another type")
        }
        var reader = BitReader(
            RawPayload.unescaped(unit, limit: Self.byteCountMax),
            of: "H.264 SPS"
        )
        try reader.skip(8)
        profile = UInt8(try reader.bits(8))
        constraints = UInt8(try reader.bits(8))
        level = UInt8(try reader.bits(8))
        id = UInt8(try reader.unsigned(max: 31, "seq_parameter_set_id"))
        if Self.hasChromaFormat(profile: profile) { try readChroma(&reader) }
        _ = try reader.unsigned(max: 12, "log2_max_frame_num_minus4")
        let orderType = try readPictureOrder(&reader)
        _ = try reader.unsigned(max: 16, "max_num_ref_frames")
        _ = try reader.flag()
        try readSize(&reader)
        if try reader.flag() {
            var usability = reader
            if let count = try? Self.reorderCount(&usability) { reorderCountMax = count }
        }
        // E.2.1: absent, the value is 0 for the intra profiles.
        let isIntra = [44, 86, 100, 110, 122, 244].contains(profile) && constraints & 0x10 != 0
        if orderType == 2 || isIntra || (profile == 66 && reorderCountMax == nil) {
            reorderCountMax = 0
        }
    }

    /// Whether sets of this profile state chroma format and bit depths (ITU-T H.264, 7.3.2.1.1).
    static func hasChromaFormat(profile: UInt8) -> Bool {
        [100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135].contains(profile)
    }

    private mutating func readChroma(_ reader: inout BitReader) throws(ParameterSetError) {
        chromaFormat = UInt8(try reader.unsigned(max: 3, "chroma_format_idc"))
        if chromaFormat == 3 { hasSeparatePlanes = try reader.flag() }
        lumaBitDepth = 8 + UInt8(try reader.unsigned(max: 6, "bit_depth_luma_minus8"))
        chromaBitDepth = 8 + UInt8(try reader.unsigned(max: 6, "bit_depth_chroma_minus8"))
        _ = try reader.flag()
        guard try reader.flag() else { return }
        for list in 0..<(chromaFormat == 3 ? 12 : 8) where try reader.flag() {
            try Self.skipScalingList(count: list < 6 ? 16 : 64, &reader)
        }
    }

    private static func skipScalingList(
        count: Int,
        _ reader: inout BitReader
    ) throws(ParameterSetError) {
        var last: Int64 = 8
        var next: Int64 = 8
        for _ in 0..<count {
            if next != 0 {
                next = (last + Int64(try reader.signed("delta_scale")) + 256) % 256
            }
            if next != 0 { last = next }
        }
    }

    /// Reads the picture order fields and gives `pic_order_cnt_type`.
    private func readPictureOrder(
        _ reader: inout BitReader
    ) throws(ParameterSetError) -> UInt32 {
        let type = try reader.unsigned(max: 2, "pic_order_cnt_type")
        if type == 0 {
            _ = try reader.unsigned(max: 12, "log2_max_pic_order_cnt_lsb_minus4")
        } else if type == 1 {
            _ = try reader.flag()
            _ = try reader.signed("offset_for_non_ref_pic")
            _ = try reader.signed("offset_for_top_to_bottom_field")
            let count = try reader.unsigned(max: 255, "num_ref_frames_in_pic_order_cnt_cycle")
            for _ in 0..<count { _ = try reader.signed("offset_for_ref_frame") }
        }
        return type
    }

    /// Whether the colour planes are coded apart, so that cropping counts as for monochrome.
    private var hasSeparatePlanes = false

    private mutating func readSize(_ reader: inout BitReader) throws(ParameterSetError) {
        // 2^15 macroblocks are 524 288 pixels: beyond every level, and small enough to multiply.
        let widthUnits = 1 + Int64(try reader.unsigned(max: 32_767, "pic_width_in_mbs_minus1"))
        let heightUnits =
            1 + Int64(try reader.unsigned(max: 32_767, "pic_height_in_map_units_minus1"))
        let framesOnly = try reader.flag()
        mayHaveFields = !framesOnly
        if !framesOnly { _ = try reader.flag() }
        _ = try reader.flag()
        var crop: (left: Int64, right: Int64, top: Int64, bottom: Int64) = (0, 0, 0, 0)
        if try reader.flag() {
            crop.left = Int64(try reader.unsigned(max: 1 << 20, "frame_crop_left_offset"))
            crop.right = Int64(try reader.unsigned(max: 1 << 20, "frame_crop_right_offset"))
            crop.top = Int64(try reader.unsigned(max: 1 << 20, "frame_crop_top_offset"))
            crop.bottom = Int64(try reader.unsigned(max: 1 << 20, "frame_crop_bottom_offset"))
        }
        let array = hasSeparatePlanes ? 0 : chromaFormat
        let unitX: Int64 = array == 1 || array == 2 ? 2 : 1
        let unitY: Int64 = (array == 1 ? 2 : 1) * (framesOnly ? 1 : 2)
        let croppedWidth = widthUnits * 16 - unitX * (crop.left + crop.right)
        let croppedHeight =
            heightUnits * 16 * (framesOnly ? 1 : 2) - unitY * (crop.top + crop.bottom)
        guard croppedWidth > 0, croppedHeight > 0 else {
            throw ParameterSetError(.outOfRange, "H.264 SPS: cropping leaves no picture")
        }
        width = UInt32(croppedWidth)
        height = UInt32(croppedHeight)
    }

    /// Reads the VUI up to `max_num_reorder_frames` (ITU-T H.264, E.1.1).
    private static func reorderCount(_ reader: inout BitReader) throws(ParameterSetError) -> Int? {
        if try reader.flag(), try reader.bits(8) == 255 { try reader.skip(32) }
        if try reader.flag() { try reader.skip(1) }
        if try reader.flag() {
            try reader.skip(4)
            if try reader.flag() { try reader.skip(24) }
        }
        if try reader.flag() {
            _ = try reader.unsigned(max: 5, "chroma_sample_loc_type_top_field")
            _ = try reader.unsigned(max: 5, "chroma_sample_loc_type_bottom_field")
        }
        if try reader.flag() { try reader.skip(65) }
        let hasNALRate = try reader.flag()
        if hasNALRate { try skipRateParameters(&reader) }
        let hasVCLRate = try reader.flag()
        if hasVCLRate { try skipRateParameters(&reader) }
        if hasNALRate || hasVCLRate { try reader.skip(1) }
        try reader.skip(1)
        guard try reader.flag() else { return nil }
        try reader.skip(1)
        _ = try reader.unsigned(max: 16, "max_bytes_per_pic_denom")
        _ = try reader.unsigned(max: 16, "max_bits_per_mb_denom")
        _ = try reader.unsigned(max: 16, "log2_max_mv_length_horizontal")
        _ = try reader.unsigned(max: 16, "log2_max_mv_length_vertical")
        return Int(try reader.unsigned(max: 16, "max_num_reorder_frames"))
    }

    private static func skipRateParameters(_ reader: inout BitReader) throws(ParameterSetError) {
        let count = 1 + (try reader.unsigned(max: 31, "cpb_cnt_minus1"))
        try reader.skip(8)
        for _ in 0..<count {
            _ = try reader.unsigned(max: .max - 1, "bit_rate_value_minus1")
            _ = try reader.unsigned(max: .max - 1, "cpb_size_value_minus1")
            try reader.skip(1)
        }
        try reader.skip(20)
    }
}

/// The parameter sets with which the pictures of a track can be decoded.
///
/// Equal values mean equal bytes in equal order; whether a stream's sets changed is a comparison.
package struct ParameterSets: Hashable, Sendable {
    /// The codec that the sets belong to.
    package let codec: NALCodec

    /// H.265 video parameter sets, each a NAL unit with its header; always empty for H.264.
    package private(set) var video: [[UInt8]] = []

    /// Sequence parameter sets, each a NAL unit with its header.
    package private(set) var sequence: [[UInt8]] = []

    /// Picture parameter sets, each a NAL unit with its header.
    package private(set) var picture: [[UInt8]] = []

    /// The most sets of one kind that are kept; more are left out.
    ///
    /// Streams in use have one or two. The counts of `AVCDecoderConfigurationRecord` allow 31 SPS.
    package static let countMax = 31

    /// The most bytes of one set that are kept; larger ones are left out.
    package static let byteCountMax = 16_384

    /// No sets yet.
    package init(codec: NALCodec) {
        self.codec = codec
    }

    /// Whether pictures can be decoded with these sets.
    package var isComplete: Bool {
        !sequence.isEmpty && !picture.isEmpty && (codec == .h264 || !video.isEmpty)
    }

    /// Whether there is no set at all.
    package var isEmpty: Bool {
        video.isEmpty && sequence.isEmpty && picture.isEmpty
    }

    /// Adds a NAL unit if it is a parameter set that is not yet there; others are ignored.
    ///
    /// - Parameter unit: A NAL unit with its header, without start code or length.
    package mutating func add(_ unit: Span<UInt8>) {
        guard unit.count >= codec.headerByteCount + 1, unit.count <= Self.byteCountMax else {
            return
        }
        switch codec.kind(firstByte: unit[0]) {
        case .videoParameters: Self.add(unit, to: &video)
        case .sequenceParameters: Self.add(unit, to: &sequence)
        case .pictureParameters: Self.add(unit, to: &picture)
        default: break
        }
    }

    private static func add(_ unit: Span<UInt8>, to list: inout [[UInt8]]) {
        guard list.count < countMax, !list.contains(where: { unit.holds($0) }) else { return }
        list.append(unit.bytes())
    }

    /// These sets after a sync sample brought others.
    ///
    /// A set in band replaces the one of equal kind and id. When an SPS changes, the sets that
    /// depend on the old one are dropped if the sync sample brings any of their kind, since a sender
    /// that repeats its sets repeats all that it uses.
    ///
    /// - Parameter inBand: What the sync sample holds; may be empty.
    /// - Returns: These very sets when `inBand` says nothing new.
    package func updated(with inBand: ParameterSets) -> ParameterSets {
        if inBand.isEmpty || inBand == self { return self }
        var result = self
        result.video = Self.merged(video, with: inBand.video, id: identifier)
        result.sequence = Self.merged(sequence, with: inBand.sequence, id: identifier)
        result.picture = Self.merged(picture, with: inBand.picture, id: identifier)
        guard result.sequence != sequence else { return result }
        result.sequence = inBand.sequence
        if !inBand.picture.isEmpty { result.picture = inBand.picture }
        if !inBand.video.isEmpty { result.video = inBand.video }
        return result
    }

    private static func merged(
        _ old: [[UInt8]],
        with new: [[UInt8]],
        id: ([UInt8]) -> UInt32?
    ) -> [[UInt8]] {
        var result = old
        for unit in new where !result.contains(unit) {
            let unitID = id(unit)
            if unitID != nil, let index = result.firstIndex(where: { id($0) == unitID }) {
                result[index] = unit
            } else if result.count < countMax {
                result.append(unit)
            }
        }
        return result
    }

    /// The id of a parameter set; sets with equal ids replace each other.
    private func identifier(of unit: [UInt8]) -> UInt32? {
        let head = RawPayload.unescaped(unit.span, limit: 64)
        var reader = BitReader(head, of: "parameter set")
        guard let first = unit.first else { return nil }
        switch (codec, codec.kind(firstByte: first)) {
        case (.h264, .sequenceParameters):
            return try? H264SequenceParameters.identifier(&reader)
        case (.h264, .pictureParameters):
            guard (try? reader.skip(8)) != nil else { return nil }
            return try? reader.unsigned(max: 255, "pic_parameter_set_id")
        case (.h265, .videoParameters):
            guard (try? reader.skip(16)) != nil else { return nil }
            return try? reader.bits(4)
        case (.h265, .sequenceParameters):
            return (try? H265SequenceParameters(nalUnit: unit.span)).map { UInt32($0.id) }
        case (.h265, .pictureParameters):
            guard (try? reader.skip(16)) != nil else { return nil }
            return try? reader.unsigned(max: 63, "pps_pic_parameter_set_id")
        default:
            return nil
        }
    }

    /// Picture size and reorder depth as the first SPS states them.
    ///
    /// Gives `nil` when there is no SPS or it cannot be read.
    package var pictureFacts: PictureFacts? {
        guard let first = sequence.first else { return nil }
        switch codec {
        case .h264:
            guard let read = try? H264SequenceParameters(nalUnit: first.span) else { return nil }
            return PictureFacts(
                width: read.width,
                height: read.height,
                reorderCountMax: read.reorderCountMax
            )
        case .h265:
            guard let read = try? H265SequenceParameters(nalUnit: first.span) else { return nil }
            return PictureFacts(
                width: read.width,
                height: read.height,
                reorderCountMax: read.reorderCountMax
            )
        }
    }
}

/// What a container's track entry needs to know from an SPS.
package struct PictureFacts: Equatable, Sendable {
    /// Width in pixels.
    package let width: UInt32

    /// Height in pixels.
    package let height: UInt32

    /// How many pictures may precede another in decode order and follow it in output order; `nil`
    /// where the stream does not say.
    package let reorderCountMax: Int?
}

extension H264SequenceParameters {
    /// The id of the set that `reader` is at the first bit of.
    static func identifier(_ reader: inout BitReader) throws(ParameterSetError) -> UInt32 {
        try reader.skip(32)
        return try reader.unsigned(max: 31, "seq_parameter_set_id")
    }
}

extension Span<UInt8> {
    /// A copy as an array.
    func bytes() -> [UInt8] {
        unsafe withUnsafeBufferPointer { unsafe [UInt8]($0) }
    }

    /// Whether the span holds exactly these bytes.
    func holds(_ bytes: [UInt8]) -> Bool {
        guard bytes.count == count else { return false }
        for index in 0..<count where bytes[index] != self[index] { return false }
        return true
    }
}

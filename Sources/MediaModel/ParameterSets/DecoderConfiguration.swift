/// Codec set-up records of NAL-structured video: `AVCDecoderConfigurationRecord`
/// (ISO/IEC 14496-15, 5.3.3.1) and `HEVCDecoderConfigurationRecord` (8.3.3.1).
///
/// They are the CodecPrivate of `V_MPEG4/ISO/AVC` and `V_MPEGH/ISO/HEVC` (RFC 9559).
package struct DecoderConfiguration: Equatable, Sendable {
    /// The parameter sets in the record.
    package let parameterSets: ParameterSets

    /// Bytes of the length field before each NAL unit: 1, 2 or 4.
    package let lengthSize: Int

    /// Reads a record.
    ///
    /// - Parameters:
    ///   - record: The whole record; bytes behind it are ignored.
    ///   - codec: Which of the two records it is.
    /// - Throws: When the record ends early or is of another kind.
    package init(record: Span<UInt8>, codec: NALCodec) throws(ParameterSetError) {
        var sets = ParameterSets(codec: codec)
        var walk = RecordWalk(record, codec: codec)
        let lengthField: UInt8
        switch codec {
        case .h264:
            lengthField = try walk.byte(at: 4, in: record)
            walk.position = 5
            try walk.readUnits(count: try walk.next(in: record) & 0x1F, in: record, into: &sets)
            try walk.readUnits(count: try walk.next(in: record), in: record, into: &sets)
        case .h265:
            lengthField = try walk.byte(at: 21, in: record)
            walk.position = 22
            for _ in 0..<(try walk.next(in: record)) {
                _ = try walk.next(in: record)
                let high = try walk.next(in: record)
                let low = try walk.next(in: record)
                guard high == 0 else { throw walk.malformed("more than 255 NAL units of a kind") }
                try walk.readUnits(count: low, in: record, into: &sets)
            }
        }
        guard lengthField & 3 != 2 else { throw walk.malformed("NAL unit lengths of 3 bytes") }
        parameterSets = sets
        lengthSize = Int(lengthField & 3) + 1
    }

    /// The record for samples with four-byte lengths, or `nil` while the sets are incomplete or the
    /// first SPS cannot be read.
    ///
    /// Sets stay in the samples as well, so the H.265 record does not claim `array_completeness`.
    package static func record(for sets: ParameterSets) -> [UInt8]? {
        guard sets.isComplete, let first = sets.sequence.first else { return nil }
        switch sets.codec {
        case .h264:
            guard let read = try? H264SequenceParameters(nalUnit: first.span) else { return nil }
            return avc(sets, read)
        case .h265:
            guard let read = try? H265SequenceParameters(nalUnit: first.span) else { return nil }
            return hevc(sets, read)
        }
    }

    private static func avc(_ sets: ParameterSets, _ first: H264SequenceParameters) -> [UInt8] {
        var record: [UInt8] = [1, first.profile, first.constraints, first.level, 0xFC | 3]
        record.append(0xE0 | UInt8(sets.sequence.count))
        for unit in sets.sequence { record.appendUnit(unit) }
        record.append(UInt8(sets.picture.count))
        for unit in sets.picture { record.appendUnit(unit) }
        // 5.3.3.1.2: only where the profile states them.
        if H264SequenceParameters.hasChromaFormat(profile: first.profile) {
            record.append(0xFC | first.chromaFormat)
            record.append(0xF8 | (first.lumaBitDepth - 8))
            record.append(0xF8 | (first.chromaBitDepth - 8))
            record.append(0)
        }
        return record
    }

    private static func hevc(_ sets: ParameterSets, _ first: H265SequenceParameters) -> [UInt8] {
        var record: [UInt8] = [1, first.profile]
        for shift in stride(from: 24, through: 0, by: -8) {
            record.append(UInt8(truncatingIfNeeded: first.compatibility >> UInt32(shift)))
        }
        for shift in stride(from: 40, through: 0, by: -8) {
            record.append(UInt8(truncatingIfNeeded: first.constraints >> UInt64(shift)))
        }
        record.append(first.level)
        // min_spatial_segmentation_idc 0 and parallelismType 0: nothing is promised.
        record += [0xF0, 0x00, 0xFC, 0xFC | first.chromaFormat]
        record.append(0xF8 | (first.lumaBitDepth - 8))
        record.append(0xF8 | (first.chromaBitDepth - 8))
        // avgFrameRate and constantFrameRate 0: not stated.
        record += [0, 0]
        let nested: UInt8 = first.isTemporallyNested ? 1 : 0
        record.append(first.temporalLayerCount << 3 | nested << 2 | 3)
        record.append(3)
        for (type, units) in [(32, sets.video), (33, sets.sequence), (34, sets.picture)] {
            record.append(UInt8(type))
            record += [0, UInt8(units.count)]
            for unit in units { record.appendUnit(unit) }
        }
        return record
    }
}

/// A position in a record, with errors that name it.
private struct RecordWalk {
    var position = 0
    private let byteCount: Int
    private let name: String
    private let codec: NALCodec

    init(_ record: Span<UInt8>, codec: NALCodec) {
        byteCount = record.count
        self.codec = codec
        name = codec == .h264 ? "AVCDecoderConfigurationRecord" : "HEVCDecoderConfigurationRecord"
    }

    func byte(at index: Int, in record: Span<UInt8>) throws(ParameterSetError) -> UInt8 {
        guard index < record.count else {
            throw ParameterSetError(.truncated, "\(name) ends at byte \(record.count)")
        }
        return record[index]
    }

    mutating func next(in record: Span<UInt8>) throws(ParameterSetError) -> UInt8 {
        let value = try byte(at: position, in: record)
        position += 1
        return value
    }

    mutating func readUnits(
        count: UInt8,
        in record: Span<UInt8>,
        into sets: inout ParameterSets
    ) throws(ParameterSetError) {
        for _ in 0..<count {
            let high = try next(in: record)
            let length = Int(high) << 8 | Int(try next(in: record))
            guard length <= record.count - position else {
                throw malformed("a NAL unit of \(length) bytes reaches past the end")
            }
            sets.add(record.extracting(position..<position + length))
            position += length
        }
    }

    func malformed(_ what: String) -> ParameterSetError {
        ParameterSetError(
            .outOfRange,
            "\(name): \(what), before byte \(position) of \(byteCount)"
        )
    }
}

extension [UInt8] {
    /// Appends a NAL unit with its 16-bit length.
    fileprivate mutating func appendUnit(_ unit: [UInt8]) {
        append(UInt8(truncatingIfNeeded: unit.count >> 8))
        append(UInt8(truncatingIfNeeded: unit.count))
        append(contentsOf: unit)
    }
}

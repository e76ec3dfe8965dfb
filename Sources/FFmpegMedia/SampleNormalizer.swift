package import MediaModel
package import NIOCore

/// Turns the samples of one track into the form in which they are stored.
///
/// H.264 and H.265 become NAL units with 4-byte lengths, without access unit delimiters and filler;
/// parameter sets and SEI stay in band. AAC loses its ADTS header. Everything else stays as it is.
package struct SampleNormalizer: Sendable {
    /// How the samples come in.
    package enum Form: Equatable, Sendable {
        /// Nothing is changed.
        case asIs
        /// NAL units, told by the first sample to be of one of the two following forms.
        case undecided(NALCodec)
        /// NAL units behind start codes.
        case startCodes(NALCodec)
        /// NAL units behind lengths of 1 to 4 bytes.
        case lengths(NALCodec, lengthSize: Int)
        /// AAC behind ADTS headers.
        case adts
    }

    /// A sample in its stored form and what was learned from it.
    package struct Output: Sendable {
        /// The bytes to store; empty when nothing of use was in the sample.
        package var payload: ByteBuffer

        /// What the NAL units say about starting to decode here; all `false` for other codecs.
        package var facts = AccessUnitFacts()

        /// Whether ``SampleNormalizer/codecPrivate`` differs from before this sample.
        package var isCodecPrivateNew = false

        /// Whether part of the sample could not be understood and was left out.
        package var isDamaged = false
    }

    /// How the samples come in.
    package private(set) var form: Form

    /// Matroska CodecPrivate for the samples that come out; empty while it is not known.
    package private(set) var codecPrivate: [UInt8] = []

    /// The parameter sets in force; `nil` for codecs without NAL units.
    package private(set) var parameterSets: ParameterSets?

    /// The newest ADTS header.
    package private(set) var adtsHeader: ADTSHeader?

    /// Sets that came with other samples than sync samples, in force from the next sync sample.
    private var pending: ParameterSets?

    private let allocator = ByteBufferAllocator()

    /// A normalizer for a track.
    ///
    /// - Parameters:
    ///   - codec: The track's codec.
    ///   - setUp: What the container says about it: for H.264 and H.265 a decoder configuration
    ///     record, parameter sets behind start codes, or nothing; for AAC an AudioSpecificConfig, or
    ///     nothing where samples have ADTS headers; for others the CodecPrivate.
    package init(codec: Codec, setUp: [UInt8]) {
        guard let nalCodec = NALCodec(codec) else {
            form = codec == .aac && setUp.isEmpty ? .adts : .asIs
            codecPrivate = setUp
            return
        }
        parameterSets = ParameterSets(codec: nalCodec)
        form = .undecided(nalCodec)
        apply(setUp: setUp, nalCodec)
    }

    /// Takes a new set-up from the container in the middle of the track.
    ///
    /// - Returns: Whether ``codecPrivate`` differs from before.
    package mutating func update(setUp: [UInt8]) -> Bool {
        let old = codecPrivate
        if let codec = parameterSets?.codec {
            apply(setUp: setUp, codec)
        } else if form == .asIs, !setUp.isEmpty {
            codecPrivate = setUp
        }
        return codecPrivate != old
    }

    private mutating func apply(setUp: [UInt8], _ codec: NALCodec) {
        if let record = try? DecoderConfiguration(record: setUp.span, codec: codec),
            setUp.first == 1
        {
            form = .lengths(codec, lengthSize: record.lengthSize)
            parameterSets = record.parameterSets
            codecPrivate = setUp
            codecPrivate[codec == .h264 ? 4 : 21] |= 3
        } else if AnnexB.hasStartCode(setUp.span) {
            form = .startCodes(codec)
            var sets = ParameterSets(codec: codec)
            var cursor = AnnexB.Cursor()
            while let range = cursor.nextUnit(in: setUp.span) {
                sets.add(setUp.span.extracting(range))
            }
            parameterSets = sets
            codecPrivate = DecoderConfiguration.record(for: sets) ?? codecPrivate
        }
    }

    /// The stored form of a sample that lies in borrowed memory: one copy.
    ///
    /// - Parameters:
    ///   - bytes: The sample as it came.
    ///   - isSync: Whether it is a sync sample, at which new parameter sets come into force.
    /// - Returns: What to store.
    package mutating func normalize(_ bytes: Span<UInt8>, isSync: Bool) -> Output {
        normalize(bytes, isSync: isSync, whole: nil)
    }

    /// The stored form of a sample in a buffer: no copy where nothing has to change.
    ///
    /// - Parameters:
    ///   - payload: The sample as it came.
    ///   - isSync: Whether it is a sync sample, at which new parameter sets come into force.
    /// - Returns: What to store.
    package mutating func normalize(_ payload: ByteBuffer, isSync: Bool) -> Output {
        normalize(payload.readableBytesUInt8Span, isSync: isSync, whole: payload)
    }

    private mutating func normalize(
        _ bytes: Span<UInt8>,
        isSync: Bool,
        whole: ByteBuffer?
    ) -> Output {
        if case .undecided(let codec) = form, !bytes.isEmpty {
            form =
                AnnexB.hasStartCode(bytes) ? .startCodes(codec) : .lengths(codec, lengthSize: 4)
        }
        switch form {
        case .asIs, .undecided:
            return Output(payload: whole ?? copy(bytes))
        case .startCodes(let codec):
            return fromStartCodes(bytes, codec, isSync: isSync)
        case .lengths(let codec, let lengthSize):
            return fromLengths(bytes, codec, lengthSize: lengthSize, isSync: isSync, whole: whole)
        case .adts:
            return fromADTS(bytes, whole: whole)
        }
    }

    // MARK: NAL units

    private mutating func fromStartCodes(
        _ bytes: Span<UInt8>,
        _ codec: NALCodec,
        isSync: Bool
    ) -> Output {
        // Four bytes of length for every three or four of start code: room for a few short ones.
        var output = Output(payload: allocator.buffer(capacity: bytes.count + 16))
        var found = ParameterSets(codec: codec)
        var cursor = AnnexB.Cursor()
        while let range = cursor.nextUnit(in: bytes) {
            let unit = bytes.extracting(range)
            if codec.kind(firstByte: unit[0]).isDropped { continue }
            note(unit, codec, &output.facts, &found)
            output.payload.writeUnit(unit)
        }
        output.isDamaged = output.payload.readableBytes == 0
        output.isCodecPrivateNew = takeSets(found, isSync: isSync)
        return output
    }

    private mutating func fromLengths(
        _ bytes: Span<UInt8>,
        _ codec: NALCodec,
        lengthSize: Int,
        isSync: Bool,
        whole: ByteBuffer?
    ) -> Output {
        var facts = AccessUnitFacts()
        var found = ParameterSets(codec: codec)
        var cursor = LengthPrefixed.Cursor(lengthSize: lengthSize)
        var kept = 0
        while let range = cursor.nextUnit(in: bytes) {
            let unit = bytes.extracting(range)
            if codec.kind(firstByte: unit[0]).isDropped { continue }
            note(unit, codec, &facts, &found)
            kept += 4 + unit.count
        }
        let isSame = lengthSize == 4 && kept == bytes.count
        var output = Output(
            payload: isSame ? whole ?? copy(bytes) : allocator.buffer(capacity: kept),
            facts: facts
        )
        if !isSame {
            var second = LengthPrefixed.Cursor(lengthSize: lengthSize)
            while let range = second.nextUnit(in: bytes) {
                let unit = bytes.extracting(range)
                if !codec.kind(firstByte: unit[0]).isDropped { output.payload.writeUnit(unit) }
            }
        }
        output.isDamaged = cursor.isMalformed || kept == 0
        output.isCodecPrivateNew = takeSets(found, isSync: isSync)
        return output
    }

    private func note(
        _ unit: Span<UInt8>,
        _ codec: NALCodec,
        _ facts: inout AccessUnitFacts,
        _ found: inout ParameterSets
    ) {
        switch codec.kind(firstByte: unit[0]) {
        case .videoParameters, .sequenceParameters, .pictureParameters: found.add(unit)
        default: break
        }
        facts.add(unit, codec: codec)
    }

    /// Puts sets from a sample in force, at once at a sync sample and else at the next one.
    private mutating func takeSets(_ found: ParameterSets, isSync: Bool) -> Bool {
        guard let current = parameterSets else { return false }
        if !found.isEmpty { pending = pending?.updated(with: found) ?? found }
        guard isSync || codecPrivate.isEmpty, let inBand = pending else { return false }
        pending = nil
        let updated = current.updated(with: inBand)
        guard updated != current else { return false }
        parameterSets = updated
        guard let record = DecoderConfiguration.record(for: updated), record != codecPrivate else {
            return false
        }
        codecPrivate = record
        return true
    }

    // MARK: AAC

    private mutating func fromADTS(_ bytes: Span<UInt8>, whole: ByteBuffer?) -> Output {
        guard let header = ADTSHeader(bytes), header.frameByteCount <= bytes.count,
            header.blockCount == 1
        else {
            return Output(payload: ByteBuffer(), isDamaged: true)
        }
        let range = header.headerByteCount..<header.frameByteCount
        var output: Output
        if let whole {
            let slice = whole.getSlice(
                at: whole.readerIndex + range.lowerBound,
                length: range.count
            )
            output = Output(payload: slice ?? ByteBuffer())
        } else {
            output = Output(payload: copy(bytes.extracting(range)))
        }
        takeHeader(header, rawData: bytes.extracting(range), &output)
        output.isDamaged = range.isEmpty
        return output
    }

    private mutating func takeHeader(
        _ header: ADTSHeader,
        rawData: Span<UInt8>,
        _ output: inout Output
    ) {
        // Without a program config element the frame's own channels are told by an earlier one.
        let isSame = adtsHeader.map { $0.hasSameSetUp(as: header) } ?? false
        adtsHeader = header
        if isSame, header.channelConfiguration != 0 { return }
        guard let configuration = header.audioSpecificConfig(rawData: rawData),
            configuration != codecPrivate
        else { return }
        codecPrivate = configuration
        output.isCodecPrivateNew = true
    }

    private func copy(_ bytes: Span<UInt8>) -> ByteBuffer {
        var buffer = allocator.buffer(capacity: bytes.count)
        unsafe bytes.withUnsafeBytes { _ = unsafe buffer.writeBytes($0) }
        return buffer
    }
}

extension ByteBuffer {
    /// Appends a NAL unit behind its length of four bytes.
    fileprivate mutating func writeUnit(_ unit: Span<UInt8>) {
        // A sample is bounded far below 4 GiB.
        writeInteger(UInt32(truncatingIfNeeded: unit.count))
        unsafe unit.withUnsafeBytes { _ = unsafe writeBytes($0) }
    }
}

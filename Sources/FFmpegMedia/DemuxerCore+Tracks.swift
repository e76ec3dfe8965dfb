import CFFmpeg
import MediaModel

extension DemuxerCore {
    /// Takes up streams that the demuxer has found since the last call.
    func addStreams() throws {
        while streams.count < context.streamCount {
            streams.append(.pending)
            try decide(streams.count - 1, isLast: false)
        }
    }

    /// Makes a track of a stream, or leaves it out with a reason.
    ///
    /// - Parameters:
    ///   - index: A stream that is still pending.
    ///   - isLast: Whether a codec that is not known now counts as unknown for good.
    /// - Throws: When it would be a track too many.
    func decide(_ index: Int, isLast: Bool) throws {
        guard let stream = unsafe context.stream(index),
            let pointer = unsafe stream.codecpar
        else { return }
        let parameters = unsafe pointer.pointee
        if unsafe parameters.codec_id == AV_CODEC_ID_NONE, !isLast { return }
        guard let codec = unsafe MatroskaCodec(parameters),
            let timeBase = unsafe TimeBase(stream.time_base),
            unsafe stream.disposition & AV_DISPOSITION_ATTACHED_PIC == 0
        else {
            skip(index, reason: unsafe Self.reasonToSkip(stream, parameters))
            return
        }
        guard tracks.count < limits.trackCountMax else {
            throw FFmpegMediaError(
                .limit,
                "Reading \(format.displayName): more than \(limits.trackCountMax) tracks;"
                    + " send fewer"
            )
        }
        var track = DemuxedTrack(
            index: tracks.count,
            kind: codec.kind,
            codecID: codec.codecID,
            codecPrivate: [],
            timeBase: timeBase,
            statesDecodeTimes: format != .matroska
        )
        let extradata = unsafe Self.extradata(parameters)
        let family = Codec(codecID: codec.codecID)
        let normalizer = SampleNormalizer(
            codec: family,
            setUp: unsafe MatroskaCodec.setUp(extradata: extradata, parameters)
        )
        unsafe track.fill(from: parameters, averageFrameRate: stream.avg_frame_rate)
        track.update(from: normalizer)
        tracks.append(track)
        streams[index] = .track(
            TrackState(
                index: track.index,
                normalizer: normalizer,
                continuation: unsafe AudioContinuation(
                    track,
                    parameters,
                    normalizer,
                    // ADTS alone has no times at all.
                    startsAtZero: format == .adts
                )
            )
        )
    }

    private func skip(_ index: Int, reason: String) {
        context.discard(index)
        streams[index] = .skipped
        guard skippedStreams.count < limits.streamCountMax else { return }
        skippedStreams.append(SkippedStream(stream: index, reason: reason))
    }

    private static func reasonToSkip(_ stream: AVStream, _ parameters: AVCodecParameters) -> String
    {
        if unsafe stream.disposition & AV_DISPOSITION_ATTACHED_PIC != 0 {
            return "A picture attached to the file is no track"
        }
        let name = unsafe String(cString: avcodec_get_name(parameters.codec_id))
        let kind: String
        switch unsafe parameters.codec_type {
        case AVMEDIA_TYPE_VIDEO: kind = "Video"
        case AVMEDIA_TYPE_AUDIO: kind = "Audio"
        case AVMEDIA_TYPE_SUBTITLE: kind = "Subtitles"
        default: kind = "Data"
        }
        if unsafe parameters.codec_id == AV_CODEC_ID_AAC_LATM {
            return "AAC in LATM is not taken; send AAC in ADTS"
        }
        return "\(kind) of the codec '\(name)' is not taken"
    }

    private static func extradata(_ parameters: AVCodecParameters) -> [UInt8] {
        let count = unsafe Int(parameters.extradata_size)
        guard count > 0, let start = unsafe parameters.extradata else { return [] }
        return unsafe [UInt8](UnsafeBufferPointer(start: start, count: count))
    }
}

extension TimeBase {
    /// A time base of libavformat, or `nil` for one that is not positive.
    init?(_ rational: AVRational) {
        guard let numerator = UInt32(exactly: rational.num),
            let denominator = UInt32(exactly: rational.den)
        else { return nil }
        self.init(numerator: numerator, denominator: denominator)
    }
}

extension DemuxedTrack {
    /// Takes over sizes and rates.
    mutating func fill(from parameters: AVCodecParameters, averageFrameRate rate: AVRational) {
        switch kind {
        case .video:
            width = unsafe UInt32(clamping: parameters.width)
            height = unsafe UInt32(clamping: parameters.height)
            videoDelay = unsafe min(max(Int(parameters.video_delay), 0), 16)
            if NALCodec(Codec(codecID: codecID)) != nil {
                videoDelay = max(2, videoDelay)
            }
            if let period = TimeBase(AVRational(num: rate.den, den: rate.num)) {
                averageFrameDuration = period.rescale(1, to: timeBase) ?? 0
            }
        case .audio:
            sampleRate = unsafe UInt32(clamping: parameters.sample_rate)
            channelCount = unsafe UInt32(clamping: parameters.ch_layout.nb_channels)
            if codecID.hasPrefix("A_PCM/") {
                bitDepth = unsafe UInt32(
                    clamping: av_get_bits_per_sample(parameters.codec_id)
                )
            } else if codecID == "A_MS/ACM" {
                bitDepth = 8
            }
        case .data:
            break
        }
    }

    /// Takes over what a frame of audio says, for as long as something is not known.
    ///
    /// libavformat asks the frames only while it looks for streams, and sound may begin later.
    mutating func complete(from frame: Span<UInt8>) -> AudioFrameHeader? {
        guard kind == .audio, sampleRate == 0 || channelCount == 0,
            let header = AudioFrameHeader(frame, codecID: codecID)
        else { return nil }
        codecID = header.codecID
        sampleRate = header.sampleRate
        channelCount = header.channelCount
        return header
    }

    /// Takes over what the codec's own set-up says.
    mutating func update(from normalizer: SampleNormalizer) {
        if !normalizer.codecPrivate.isEmpty { codecPrivate = normalizer.codecPrivate }
        if let facts = normalizer.parameterSets?.pictureFacts {
            width = facts.width
            height = facts.height
            if let delay = facts.reorderCountMax { videoDelay = delay }
        }
        switch Codec(codecID: codecID) {
        case .aac:
            // FLV states 44.1 kHz stereo whatever it holds: the set-up knows.
            guard let configuration = try? AudioSpecificConfig(codecPrivate.span) else { break }
            sampleRate = configuration.outputSampleRate
            if configuration.channelCount > 0 { channelCount = configuration.channelCount }
        case .opus:
            sampleRate = OpusPacket.sampleRate
        default:
            break
        }
    }
}

import CFFmpeg
import MediaModel
import NIOCore

/// A demuxer without reading ahead: what ``Demuxer`` is made of.
final class DemuxerCore {
    let format: InputFormat
    var tracks: [DemuxedTrack] = []
    var skippedStreams: [SkippedStream] = []
    var droppedSampleCount = 0
    let limits: DemuxerLimits
    private(set) var context: DemuxerContext
    var streams: [StreamState] = []
    var clock = TimestampUnwrapper()
    private let input: DemuxerInput
    private let packet: DemuxerPacket
    private let messages = LibavMessages()
    private var deliveredCount = 0
    private var indexedCount = 0

    /// What is known of a stream of the container.
    enum StreamState {
        /// Its codec is not known yet.
        case pending
        case skipped
        case track(TrackState)
    }

    /// How the samples of a track are made from packets.
    struct TrackState {
        let index: Int
        var normalizer: SampleNormalizer
        var continuation: AudioContinuation?

        /// Whether the caller knows the track as it is: from its first appearance, or from the
        /// newest sample that brought other parameters.
        var isAnnounced = true
    }

    /// Opens a container; its tracks may not be known yet.
    ///
    /// - Throws: As ``Demuxer/init(pipe:format:limits:)``.
    init(pipe: BytePipe, format: InputFormat, limits: DemuxerLimits) throws {
        self.format = format
        self.limits = limits
        input = try DemuxerInput(
            pipe: pipe,
            format: format,
            byteCountWithoutSampleMax: limits.byteCountWithoutSampleMax
        )
        context = try DemuxerContext(input: input)
        packet = try DemuxerPacket()
        let (code, call) = LibavLog.collecting(into: messages) { context.open(format, limits) }
        if code < 0 { throw failure(code, call, isOpening: true) }
        try addStreams()
        input.sampleDelivered()
    }

    /// Waits for the next sample.
    ///
    /// - Returns: `nil` at the end of the bytes.
    /// - Throws: As ``Demuxer/next()``.
    func next() throws -> DemuxedSample? {
        var idleReadCount = 0
        while true {
            let before = input.pipe.bytesRead
            let read = try LibavLog.collecting(into: messages) {
                try unsafe packet.fill(from: context) { try unsafe receive($0) }
            }
            switch read {
            case .success(let sample?):
                countDelivered()
                return sample
            case .success(nil):
                continue
            case .failure(let code) where code.value == ff_error_eof && !input.isInterrupted:
                if input.isCut, try reopen() { continue }
                try checkEnd()
                return nil
            case .failure(let code) where code.value == ff_error_again:
                // The demuxer passed over something. It must get on, or this would never end.
                idleReadCount = input.pipe.bytesRead == before ? idleReadCount + 1 : 0
                if idleReadCount > Self.idleReadCountMax {
                    throw failure(code.value, "av_read_frame")
                }
            case .failure(let code):
                throw failure(code.value, "av_read_frame")
            }
        }
    }

    private func countDelivered() {
        input.sampleDelivered()
        deliveredCount += 1
        indexedCount += 1
        if format == .mp4, indexedCount >= limits.indexedSampleCountMax {
            input.cutAtNextFragment()
        }
    }

    /// Opens the container anew behind a cut, so that libavformat forgets the samples before it.
    ///
    /// Tracks, set-ups and times go on: fragments state their decode times (`tfdt`).
    ///
    /// - Returns: Whether there is anything behind the cut.
    private func reopen() throws -> Bool {
        context.close()
        guard try input.resume() else { return false }
        indexedCount = 0
        context = try DemuxerContext(input: input)
        let (code, call) = LibavLog.collecting(into: messages) { context.open(format, limits) }
        if code < 0 { throw failure(code, call) }
        for (index, state) in streams.enumerated() {
            if case .skipped = state { context.discard(index) }
        }
        return true
    }

    /// Reads that give nothing and take nothing before the demuxer is held to be stuck.
    ///
    /// A buffer of libavformat holds some hundreds of the smallest FLV tags.
    private static let idleReadCountMax = 10_000

    /// Tells an end from bytes that never were a container.
    private func checkEnd() throws {
        guard tracks.isEmpty else { return }
        let left = skippedStreams.first.map { " (\($0.reason))" } ?? ""
        throw FFmpegMediaError(
            .unknownContainer,
            "Reading \(format.displayName): \(input.pipe.bytesRead) bytes ended without a"
                + " track\(left); send the container that the media type names"
        )
    }

    /// The error for a failed call, with what is known about the reason.
    private func failure(
        _ code: Int32,
        _ call: StaticString,
        isOpening: Bool = false
    ) -> FFmpegMediaError {
        let offset = input.pipe.bytesRead
        let place = "Reading \(format.displayName) near byte \(offset)"
        if input.isOverLimit {
            return FFmpegMediaError(
                .limit,
                "\(place): no sample within \(limits.byteCountWithoutSampleMax) bytes;"
                    + " send smaller samples"
            )
        }
        if let cause = input.pipe.failure {
            return FFmpegMediaError(.aborted, "\(place): the pipe was aborted", cause: cause)
        }
        let said = messages.last.map { ", \($0)" } ?? ""
        let what = "\(place): \(call): \(Libav.text(of: code))\(said)"
        if code == ff_error_memory { return FFmpegMediaError(.limit, what) }
        if format == .mp4, deliveredCount == 0, !isOpening {
            return FFmpegMediaError(
                .malformed,
                "\(what); send fragmented MP4, or MP4 with its index (moov) in front of its media"
            )
        }
        let isUnknown = isOpening && tracks.isEmpty
        return FFmpegMediaError(
            isUnknown ? .unknownContainer : .malformed,
            isUnknown ? "\(what); send a body of the format that its media type names" : what
        )
    }
}

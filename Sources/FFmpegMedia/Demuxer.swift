import MediaModel
package import NIOCore

/// Reads the samples of a container from a pipe, in the order in which they arrive.
///
/// Every call blocks until its bytes are there, so a demuxer lives on a thread of its own and never
/// leaves it. Dropping it closes the reading end of the pipe. No decoder is ever opened: sizes,
/// rates and delays come from the container and from parameter sets that are parsed here.
package final class Demuxer {
    /// The tracks as of the newest sample; a track may be added, and a track's parameters may
    /// change, in ``next()``.
    package private(set) var tracks: [DemuxedTrack]

    let core: DemuxerCore

    /// Samples that were read to find out about the tracks.
    private var ahead = CircularBuffer<(sample: DemuxedSample, tracks: [DemuxedTrack])>()

    /// How reading ended, if it ended while samples were read ahead.
    private var outcome: Result<Void, any Error>?

    /// The most samples that are read ahead: about a second of a camera with sound.
    private static let aheadCountMax = 64

    /// Bytes of the samples read ahead, and the times of the first and the newest, in milliseconds.
    private var aheadByteCount = 0
    private var aheadTimes: ClosedRange<Int64>?

    /// Opens a container and reads until its tracks are ready, or some samples ahead.
    ///
    /// - Parameters:
    ///   - pipe: The bytes, from the first one on.
    ///   - format: What they are; nothing else is tried.
    ///   - limits: What may be used.
    /// - Throws: ``FFmpegMediaError`` when the bytes are not of this format, end before any track is
    ///   known, exceed a limit, or the pipe is aborted.
    package init(
        pipe: BytePipe,
        format: InputFormat,
        limits: DemuxerLimits = DemuxerLimits()
    ) throws {
        core = try DemuxerCore(pipe: pipe, format: format, limits: limits)
        tracks = core.tracks
        try readAhead()
    }

    /// Opens a container that is wholly in memory.
    ///
    /// - Throws: As ``init(pipe:format:limits:)``.
    package convenience init(
        contents: ByteBuffer,
        format: InputFormat,
        limits: DemuxerLimits = DemuxerLimits()
    ) throws {
        try self.init(pipe: BytePipe(contents: contents), format: format, limits: limits)
    }

    /// What the bytes were opened as.
    package var format: InputFormat { core.format }

    /// Streams of the container that are not delivered, with the reason.
    package var skippedStreams: [SkippedStream] { core.skippedStreams }

    /// Samples that held nothing of use and were left out: damaged, or filler alone.
    package var droppedSampleCount: Int { core.droppedSampleCount }

    /// Waits for the next sample.
    ///
    /// - Returns: `nil` at the end of the bytes.
    /// - Throws: ``FFmpegMediaError`` when the container is damaged beyond what the demuxer gets
    ///   past, a limit is exceeded, or the pipe is aborted. No call may follow.
    package func next() throws -> DemuxedSample? {
        if let first = ahead.popFirst() {
            if first.sample.newCodecPrivate != nil { tracks = first.tracks }
            return first.sample
        }
        if let outcome {
            try outcome.get()
            return nil
        }
        let sample = try core.next()
        tracks = core.tracks
        return sample
    }

    private func readAhead() throws {
        while tracks.isEmpty || tracks.contains(where: isNotReady), mayReadAhead {
            do {
                guard var sample = try core.next() else {
                    outcome = .success(())
                    break
                }
                noteAhead(sample)
                if sample.newCodecPrivate != nil {
                    if sample.track < tracks.count, tracks[sample.track].isReady {
                        // A change, to be told when the sample is: the tracks stay as they were.
                        ahead.append((sample, core.tracks))
                        return
                    }
                    sample.newCodecPrivate = nil
                }
                ahead.append((sample, core.tracks))
                tracks = core.tracks
            } catch {
                outcome = .failure(error)
                break
            }
        }
        if tracks.isEmpty { try outcome?.get() }
    }

    /// Whether the samples read ahead leave room for another.
    private var mayReadAhead: Bool {
        let limits = core.limits
        guard ahead.count < Self.aheadCountMax, aheadByteCount < limits.aheadByteCountMax else {
            return false
        }
        guard let times = aheadTimes else { return true }
        let (span, isOverflow) = times.upperBound.subtractingReportingOverflow(times.lowerBound)
        return !isOverflow && span < limits.aheadMillisecondsMax
    }

    private func noteAhead(_ sample: DemuxedSample) {
        aheadByteCount += sample.payload.readableBytes
        guard let ticks = sample.dts ?? sample.pts,
            let time = core.tracks[sample.track].timeBase.milliseconds(ticks)
        else { return }
        let known = aheadTimes ?? time...time
        aheadTimes = min(known.lowerBound, time)...max(known.upperBound, time)
    }

    private func isNotReady(_ track: DemuxedTrack) -> Bool { !track.isReady }
}

import FFmpegMedia
import FragmentLog
import Logging
import MediaModel
import NIOCore

/// The blocking half of a push: demuxer → times → cutter → log, on a thread of its own.
final class PushWorker: Sendable {
    private let session: ProducerSession
    private let results: CommitResults
    private let feeder: PushFeeder
    private let format: InputFormat
    private let limits: PushLimits
    private let clock: any WallClock
    private let sessionClock: SessionClock
    private let firstByte: Arrival
    private let logger: Logger

    init(
        session: ProducerSession,
        results: CommitResults,
        feeder: PushFeeder,
        format: InputFormat,
        limits: PushLimits,
        clock: any WallClock,
        sessionClock: SessionClock,
        firstByte: Arrival,
        logger: Logger
    ) {
        self.session = session
        self.results = results
        self.feeder = feeder
        self.format = format
        self.limits = limits
        self.clock = clock
        self.sessionClock = sessionClock
        self.firstByte = firstByte
        self.logger = logger
    }

    /// Runs until the body ends or the session breaks; blocks.
    ///
    /// - Returns: Why it ended before the media did; `nil` at an orderly end.
    func run() -> IngestError? {
        var run = Run(self)
        return run.untilEnd()
    }

    /// What changes while the worker runs.
    private struct Run {
        let worker: PushWorker
        var cutter: FragmentCutter
        let sink: FragmentSink
        var timings: [TrackTiming?] = []
        var untimedCount = 0
        var timedCount = 0

        /// Samples that held nothing to keep or had no time, and are not yet counted as lost.
        var uselessCount = 0
        var uselessBytes = 0

        /// How many the demuxer has told of, and how many streams it leaves out.
        var droppedCount = 0
        var skippedCount = 0
        var isLastCorrupt = false

        /// Reused, so that a sample costs no allocation for it.
        var actions: [CutAction] = []

        init(_ worker: PushWorker) {
            self.worker = worker
            cutter = FragmentCutter(clock: worker.sessionClock, limits: worker.limits.cutter)
            sink = FragmentSink(session: worker.session, results: worker.results)
        }

        mutating func untilEnd() -> IngestError? {
            do {
                try demux()
                try sink.perform(endCutting())
                return nil
            } catch let error as IngestError {
                return breakOff(error)
            } catch let error as LogError {
                return breakOff(IngestError(error))
            } catch let error as FFmpegMediaError {
                // The end of a body that broke off may look like damage to the demuxer.
                return breakOff(
                    worker.feeder.breakError ?? worker.meaning(of: error, timedCount: timedCount)
                )
            } catch {
                return breakOff(
                    IngestError(.ioError, "The push ended for an unknown reason.", cause: error)
                )
            }
        }

        /// Keeps the part that arrived, marked as incomplete, and says what is missing behind it.
        private mutating func breakOff(_ error: IngestError) -> IngestError {
            do throws(LogError) {
                try sink.perform(endCutting(), isBroken: true)
            } catch {
                worker.logger.debug("the end of a broken push was not kept", error)
            }
            let reason = error.gapReason
            switch error.code {
            // Where a newer producer sends, nothing is missing; of a refusal the log has told.
            case .takenOver, .contention: break
            default:
                if let end = sink.end {
                    worker.session.report(
                        Gap(start: end, end: end, clock: .producer, reason: reason)
                    )
                } else if reason != .disconnect || timedCount > 0 {
                    // A producer that goes before it has sent any media leaves nothing out.
                    worker.session.reportRefusal(reason, at: worker.firstByte.wall)
                }
            }
            return error
        }

        private mutating func endCutting() -> [CutAction] {
            countUseless()
            return cutter.end()
        }

        private mutating func demux() throws {
            var limits = DemuxerLimits()
            // Counted here, so that this limit is told from the others.
            limits.trackCountMax = limits.streamCountMax
            limits.byteCountWithoutSampleMax = max(
                limits.byteCountWithoutSampleMax,
                worker.limits.cutter.maximumBytes
            )
            let demuxer = try Demuxer(
                pipe: worker.feeder.pipe,
                format: worker.format,
                limits: limits
            )
            try syncTracks(demuxer)
            while let sample = try demuxer.next() {
                if let failure = worker.results.failure { throw failure }
                if demuxer.tracks.count > timings.count { try syncTracks(demuxer) }
                noteLeftOut(demuxer)
                try take(sample, of: demuxer.tracks[sample.track])
            }
            if let failure = worker.results.failure { throw failure }
            if let error = worker.feeder.breakError { throw error }
            noteLeftOut(demuxer)
            if isLastCorrupt {
                throw IngestError(
                    .truncated,
                    "The \(worker.format.displayName) body ends inside a sample after \(worker.feeder.pipe.bytesRead) bytes; whole fragments before it are kept."
                )
            }
            if timedCount == 0 { throw worker.noMedia(untimedCount: untimedCount) }
            if worker.feeder.startsAgain {
                try sink.perform(endCutting())
                throw IngestError(
                    .garbage,
                    "The \(worker.format.displayName) body holds a second file behind the first, of which nothing is kept; send one file with each push."
                )
            }
        }

        /// Says what the demuxer leaves out, as soon as it does.
        private mutating func noteLeftOut(_ demuxer: Demuxer) {
            for stream in demuxer.skippedStreams.dropFirst(skippedCount) {
                skippedCount += 1
                worker.logger.notice(
                    "a stream of a push is not kept",
                    metadata: [
                        "stream.name": "\(worker.session.stream.name)",
                        "reason": "\(stream.reason)",
                    ]
                )
            }
            uselessCount += demuxer.droppedSampleCount - droppedCount
            droppedCount = demuxer.droppedSampleCount
        }

        /// Has samples of no use told as a gap, once there is a time to count them at.
        private mutating func countUseless() {
            guard uselessCount > 0, timedCount > 0 else { return }
            cutter.refuse(sampleCount: uselessCount, byteCount: uselessBytes)
            uselessCount = 0
            uselessBytes = 0
        }

        private mutating func syncTracks(_ demuxer: Demuxer) throws(IngestError) {
            guard demuxer.tracks.count <= worker.limits.trackCountMax else {
                throw IngestError(
                    .tooManyTracks,
                    "The \(worker.format.displayName) body has more than \(worker.limits.trackCountMax) tracks; send fewer."
                )
            }
            for track in demuxer.tracks.dropFirst(timings.count) {
                let timing = worker.timing(of: track)
                timings.append(timing)
                cutter.setTrack(timing.track, isReady: track.isReady)
            }
        }

        private mutating func take(_ sample: DemuxedSample, of track: DemuxedTrack) throws {
            if sample.newCodecPrivate != nil {
                let known = timings[sample.track]
                let fresh = worker.timing(of: track)
                // Only new ticks make new times; otherwise the times go on.
                if known?.track.timeBase != fresh.track.timeBase {
                    timings[sample.track] = fresh
                } else {
                    timings[sample.track]?.update(fresh.track)
                }
            }
            isLastCorrupt = sample.isCorrupt
            let timed = timings[sample.track]?.next(
                pts: sample.pts,
                dts: sample.dts,
                duration: sample.duration,
                payload: sample.payload.readableBytesView
            )
            guard let timed else {
                untimedCount += 1
                uselessCount += 1
                uselessBytes += sample.payload.readableBytes
                if timedCount == 0, untimedCount > worker.limits.untimedSamplesMax {
                    throw worker.noMedia(untimedCount: untimedCount)
                }
                return
            }
            // What the demuxer read to find out about the tracks arrived with the first byte.
            let arrival = timedCount == 0 ? worker.firstByte : worker.arrival
            timedCount += 1
            let ingest = IngestSample(
                track: UInt8(sample.track + 1),
                payload: sample.payload,
                dts: timed.times.dts,
                pts: timed.times.pts,
                duration: timed.duration,
                isSync: sample.isSync,
                startsOpenGOP: sample.startsOpenGOP,
                isDTSAdjusted: timed.times.isAdjusted,
                newTrack: sample.newCodecPrivate == nil || !track.isReady
                    ? nil : timings[sample.track]?.track,
                arrival: arrival
            )
            actions.removeAll(keepingCapacity: true)
            try cutter.append(ingest, into: &actions)
            countUseless()
            try sink.perform(actions)
        }
    }

    private var arrival: Arrival {
        Arrival(wall: clock.now(), bootMs: clock.bootMilliseconds())
    }

    private func timing(of track: DemuxedTrack) -> TrackTiming {
        TrackTiming(
            source: track.track(number: UInt8(track.index + 1)),
            statesDecodeTimes: track.statesDecodeTimes,
            reorderDepth: track.videoDelay,
            frameTicks: track.averageFrameDuration,
            limits: limits.cutter.times
        )
    }

    private func noMedia(untimedCount: Int) -> IngestError {
        if untimedCount > 0 {
            return IngestError(
                .noTimestamps,
                "None of the first \(untimedCount) samples of the \(format.displayName) body has a time; send media with timestamps."
            )
        }
        return IngestError(
            .garbage,
            "The \(format.displayName) body of \(feeder.pipe.bytesRead) bytes holds no sample; send media."
        )
    }

    /// What a demuxer's failure means for the producer.
    private func meaning(of error: FFmpegMediaError, timedCount: Int) -> IngestError {
        switch error.code {
        case .unknownContainer:
            return IngestError(.unknownContainer, error.message)
        case .limit:
            return IngestError(.fragmentTooLarge, error.message)
        case .malformed:
            return IngestError(timedCount > 0 ? .truncated : .garbage, error.message)
        case .aborted:
            return IngestError(.disconnected, error.message, cause: error.cause)
        case .library:
            return IngestError(.ioError, error.message)
        }
    }
}

extension Logger {
    fileprivate func debug(_ message: Message, _ error: any Error) {
        debug(message, metadata: ["error": "\(error)"])
    }
}

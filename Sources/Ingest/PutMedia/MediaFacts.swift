import FragmentLog
import Matroska
import MediaModel
import NIOCore

/// What a connection's header says and how the times of its tracks are made.
struct MediaFacts {
    let header: SegmentHeader
    let timeBase: TimeBase
    let clockSource: ClockSource

    /// The track whose samples decide how a fragment starts and how long it is.
    let governing: Track?

    private let start: Timestamp
    private var timings: [TrackTiming]

    /// The codec set that each track has by the header.
    private let codecSets: [UInt32]

    /// For tracks of NAL units, which may bring other parameter sets in their key frames.
    private var keyFrames: [KeyFrameReader?]

    init(
        _ document: DocumentHeader,
        _ request: PutMediaRequest,
        _ session: ProducerSession,
        _ limits: PutMediaLimits
    ) {
        timeBase = document.timeBase
        // What was read once can be read again.
        let bytes = (try? document.withoutReservedTags()) ?? document.bytes
        switch request.timecodes {
        case .absolute:
            header = SegmentHeader(bytes: bytes, kind: .putMedia)
            clockSource = .absolute
            start = Timestamp(milliseconds: 0)
        case .relative(let from):
            header = SegmentHeader(
                bytes: bytes,
                kind: .putMediaRelative(session: session.id)
            )
            clockSource = .start
            start = from
        }
        let tracks = document.tracks
        governing =
            tracks.first { $0.kind == .video } ?? tracks.first { $0.kind == .audio }
            ?? tracks.first
        // Frames that are encrypted or compressed say nothing about their codec.
        let sources = tracks.map { track in
            var source = track
            if document.encodedTracks.contains(track.number) { source.codecPrivate = [] }
            return source
        }
        timings = sources.map { source in
            TrackTiming(
                source: source,
                statesDecodeTimes: false,
                reorderDepth: ReorderDepth.of(source),
                frameTicks: Int64(source.defaultDuration),
                limits: limits.times
            )
        }
        codecSets = tracks.map { CodecSet.id(of: $0) }
        keyFrames = sources.map { KeyFrameReader($0) }
    }

    /// The tracks as the sample table of a fragment that begins now names them.
    ///
    /// A key frame behind the fragment's first frame tells of the fragments after it.
    var sampleTracks: [SampleTrack] {
        timings.indices.map { index in
            SampleTrack(
                number: timings[index].track.number,
                timeBase: timings[index].track.timeBase,
                codecSet: keyFrames[index]?.codecSet ?? codecSets[index]
            )
        }
    }

    /// Takes note of a key frame of pictures; gives whether pictures behind it may refer to
    /// pictures before it.
    mutating func startsOpenGOP(_ payload: ByteBuffer, of number: UInt8) -> Bool {
        guard let index = timings.firstIndex(where: { $0.track.number == number }) else {
            return false
        }
        return keyFrames[index]?.startsOpenGOP(payload) ?? false
    }

    /// A Cluster's timecode in milliseconds on the session's time line; `nil` when it does not fit.
    func milliseconds(_ timecode: UInt64) -> Int64? {
        Int64(exactly: timecode).flatMap { timeBase.milliseconds($0) }
    }

    /// The producer timestamp of a Cluster; `nil` outside the years 1970 to 9999.
    func producer(ofMs milliseconds: Int64) -> Timestamp? {
        let producer = start.advanced(byMilliseconds: milliseconds)
        guard producer.milliseconds >= 0, producer < .endOfTime else { return nil }
        return producer
    }

    /// A block's frame as the sample table has it, with its offset from the child's first byte.
    mutating func entry(
        _ sample: BlockSample,
        isSync: Bool,
        payload: some Collection<UInt8>
    ) -> (entry: SampleEntry, isAdjusted: Bool) {
        let index = timings.firstIndex { $0.track.number == sample.track }
        let placed = index.flatMap {
            timings[$0].next(
                pts: sample.timecode,
                dts: nil,
                duration: sample.duration ?? 0,
                payload: payload
            )
        }
        // Times beyond what arithmetic takes keep their value in both fields.
        let times =
            placed?.times ?? DecodeTimes.Times(pts: sample.timecode, dts: sample.timecode)
        let entry = SampleEntry(
            track: sample.track,
            offset: UInt64(sample.offset),
            size: UInt32(clamping: sample.length),
            dts: times.dts,
            pts: times.pts,
            isSync: isSync
        )
        return (entry, times.isAdjusted)
    }

    /// Whether a track is one of pictures: only their key frame flags say where decoding can start.
    func isVideo(_ number: UInt8) -> Bool {
        timings.contains { $0.track.number == number && $0.track.kind == .video }
    }
}

import FragmentLog
import Matroska
import MediaModel
import NIOCore

/// Carries out what the cutter decides: writes Clusters of our own into the log.
///
/// Lives on its session's thread; only the results of commits come from elsewhere, through
/// ``CommitResults``.
final class FragmentSink {
    private let session: ProducerSession
    private let results: CommitResults
    private var fragment: OpenFragment?
    private var tracks: [Track] = []
    private var header: SegmentHeader?

    /// Reused, so that a sample costs no allocation for them; the log copies what it is given.
    private var head = ByteBuffer()
    private var entries: [SampleEntry] = []

    /// Producer time up to which footage was kept.
    private(set) var end: Timestamp?

    init(session: ProducerSession, results: CommitResults) {
        self.session = session
        self.results = results
    }

    /// Performs actions in order.
    ///
    /// - Parameters:
    ///   - actions: What the cutter wants.
    ///   - isBroken: The session breaks off: a fragment that closes now is kept as incomplete.
    /// - Throws: The log's error; the session is of no more use then.
    func perform(_ actions: [CutAction], isBroken: Bool = false) throws(LogError) {
        for action in actions {
            switch action {
            case .open(let start): try open(start)
            case .append(let sample, let offset): try append(sample, offset)
            case .close(let end): close(end, isBroken: isBroken)
            case .gap(let gap): session.report(gap)
            }
        }
    }

    private func open(_ start: FragmentStart) throws(LogError) {
        if header == nil || start.tracks != tracks {
            tracks = start.tracks
            header = SegmentHeader(bytes: DocumentHeaderWriter.encode(tracks), kind: .own)
        }
        guard let header else { return }
        let opening = FragmentOpening(
            header: header,
            tracks: tracks.map {
                SampleTrack(
                    number: $0.number,
                    timeBase: $0.timeBase,
                    codecSet: CodecSet.id(of: $0)
                )
            },
            producer: start.producer,
            clockSource: start.clockSource,
            clockErrorMilliseconds: start.clockErrorMs,
            mediaTimeMilliseconds: start.mediaTimeMs,
            flags: start.flags
        )
        let fragment = try session.beginFragmentBlocking(opening)
        self.fragment = fragment
        end = start.producer
        // Producer time is never negative.
        let timecode = ClusterWriter.timecode(UInt64(max(0, start.producer.milliseconds)))
        try fragment.append(timecode, nil, samples: [])
    }

    private func append(_ sample: IngestSample, _ offset: Int16) throws(LogError) {
        head.clear()
        let headLength = ClusterWriter.writeSimpleBlockHead(
            track: sample.track,
            offset: offset,
            isKeyframe: sample.isSync,
            payloadLength: sample.size,
            into: &head
        )
        entries.removeAll(keepingCapacity: true)
        entries.append(
            SampleEntry(
                track: sample.track,
                offset: UInt64(headLength),
                size: UInt32(clamping: sample.size),
                dts: sample.dts,
                pts: sample.pts,
                isSync: sample.isSync
            )
        )
        try fragment?.append(head, sample.payload, samples: entries)
    }

    private func close(_ end: FragmentEnd, isBroken: Bool) {
        guard let fragment else { return }
        self.fragment = nil
        self.end = self.end?.advanced(byMilliseconds: Int64(end.durationMs))
        let closing = FragmentClosing(
            durationMilliseconds: end.durationMs,
            flags: isBroken ? end.flags.union(.incomplete) : end.flags
        )
        let results = results
        fragment.finish(closing) { results.take($0) }
    }
}

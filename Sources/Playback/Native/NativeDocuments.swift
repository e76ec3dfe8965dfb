import FragmentLog
import Matroska
import MediaModel
import NIOCore

/// Makes native documents of fragments, one after another: decides where a document ends and the
/// next begins, and holds what is on its way out.
struct NativeDocuments: Sendable {
    private enum Current: Sendable {
        case none
        case stored(StoredNativeFragment)
        case live(LiveNativeFragment)
    }

    private var timeline: DocumentTimeline?
    private var current = Current.none
    private var output = OutputQueue()
    /// The header read last, so that it is not read anew for every fragment.
    private var header: OutputHeader?
    /// The log segment it is of, if it is one's.
    private var segment: SegmentID?

    /// Fragments begun so far.
    private(set) var fragmentCount = 0

    /// Documents that go on with one that was begun elsewhere, or begin at the first fragment.
    init(_ timeline: DocumentTimeline? = nil) {
        self.timeline = timeline
    }

    /// The next piece of the fragment at hand; `nil` when another one is wanted.
    mutating func next() async throws(PlaybackError) -> ByteBuffer? {
        while true {
            if let piece = output.next() { return piece }
            switch current {
            case .none:
                return nil
            case .stored(var fragment):
                let goesOn = try await fragment.proceed(&output)
                current = goesOn ? .stored(fragment) : .none
            case .live(var fragment):
                let goesOn = try await fragment.proceed(&output)
                current = goesOn ? .live(fragment) : .none
            }
        }
    }

    /// Puts a durable fragment next.
    ///
    /// - Throws: `.gone` when it has been deleted: go on with another.
    mutating func append(
        _ record: FragmentRecord,
        of stream: StreamLog
    ) async throws(PlaybackError) {
        var fragment = try await StoredNativeFragment(
            record,
            of: stream,
            header: segment == record.segment ? header?.stored : nil
        )
        let header = try read(fragment.header)
        segment = record.segment
        var timecode = timeline?.timecode(for: header, producer: record.producer)
        if timecode == nil {
            let preroll = try await fragment.becomeFirst(under: header)
            timecode = try beginDocument(header, record.producer, preroll: preroll)
        }
        try fragment.begin(timecode: timecode ?? 0, &output)
        timeline?.placed(record.producer)
        current = .stored(fragment)
        fragmentCount += 1
    }

    /// Puts a fragment that is still arriving next; nothing when it ends before it has begun.
    mutating func append(_ open: OpenFragment) async throws(PlaybackError) {
        guard var fragment = try await LiveNativeFragment(open) else { return }
        let header = try read(open.opening.header)
        let known = timeline?.timecode(for: header, producer: open.opening.producer)
        let timecode: UInt64
        if let known {
            timecode = known
        } else {
            timecode = try beginDocument(header, open.opening.producer, preroll: 0)
        }
        try fragment.begin(timecode: timecode, isFirst: known == nil, &output)
        timeline?.placed(open.opening.producer)
        current = .live(fragment)
        fragmentCount += 1
    }

    private mutating func read(_ stored: SegmentHeader) throws(PlaybackError) -> OutputHeader {
        if let header, header.stored == stored { return header }
        let header = try OutputHeader(stored)
        self.header = header
        segment = nil
        return header
    }

    /// - Returns: The timecode of the document's first fragment.
    private mutating func beginDocument(
        _ header: OutputHeader,
        _ producer: Timestamp,
        preroll: UInt64
    ) throws(PlaybackError) -> UInt64 {
        let timeline = DocumentTimeline(header: header, producer: producer, preroll: preroll)
        do throws(MatroskaError) {
            output.append(try header.document.rewritten(dateUTC: timeline.zero))
        } catch {
            throw PlaybackError(error, reading: "A stored header")
        }
        self.timeline = timeline
        return timeline.timecode(for: producer) ?? 0
    }
}

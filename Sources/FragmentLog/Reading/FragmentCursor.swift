import Synchronization
package import MediaModel

/// Where a cursor begins.
package enum CursorStart: Sendable {
    /// With the oldest fragment that is kept.
    case earliest
    /// With the fragment that is arriving, from its start; else with the next to begin.
    case newest
    /// With the first fragment of a larger number.
    case after(FragmentNumber)
    /// With the fragment that contains the time, else the next one on that clock; from there on in
    /// number order.
    case time(Timestamp, StreamClock)
}

/// A reader's position in a stream: gives fragments in number order, archived and live alike.
///
/// A slow reader falls behind and nobody waits for it: there is no queue, only this position.
package struct FragmentCursor: Sendable {
    /// What comes next.
    package enum Step: Sendable {
        /// A durable fragment.
        case stored(FragmentRecord)
        /// A fragment that is still arriving, or on its way to the disk.
        case open(OpenFragment)
        /// There is nothing more now, or the stream is gone.
        case end
    }

    private let stream: StreamLog
    /// The last number given or passed over.
    private(set) var position: FragmentNumber
    private var first: FragmentRecord?
    /// Fragments that end before are passed over, up to the first that does not.
    private var from: (time: Timestamp, clock: StreamClock)?
    private var index: SegmentIndex?
    private var nextInIndex = 0

    init(
        stream: StreamLog,
        after position: FragmentNumber,
        first: FragmentRecord? = nil,
        from: (time: Timestamp, clock: StreamClock)? = nil
    ) {
        self.stream = stream
        self.position = position
        self.first = first
        self.from = from
    }

    /// The next fragment.
    ///
    /// - Parameter follow: Whether to wait for fragments to come rather than to end at the head.
    /// - Returns: The fragment, or that there is none.
    /// - Throws: `.damaged`, `.ioError`; `.shuttingDown` when the task was cancelled.
    package mutating func next(follow: Bool) async throws(LogError) -> Step {
        while true {
            let seen = stream.changes.version
            if let first {
                self.first = nil
                position = first.number
                return .stored(first)
            }
            let (head, open, closed) = stream.state.withLock { state in
                (
                    state.head,
                    state.open.first { $0.fragment.number > position }?.fragment,
                    state.closed != nil
                )
            }
            if closed { return .end }
            if let head, head.number > position {
                if let record = try await nextStored() {
                    position = record.number
                    if endsEarly(record) { continue }
                    from = nil
                    return .stored(record)
                }
                // What lay between was deleted.
                position = max(position, head.number)
                continue
            }
            if let open, !mayEndEarly(open, head) {
                position = open.number
                from = nil
                return .open(open)
            }
            if !follow { return .end }
            await stream.changes.wait(beyond: seen)
            if Task.isCancelled {
                throw LogError(
                    .shuttingDown,
                    "Following stream '\(stream.name)' was cancelled."
                )
            }
        }
    }

    private func endsEarly(_ record: FragmentRecord) -> Bool {
        guard let from else { return false }
        return record.start(on: from.clock) < from.time && record.end(on: from.clock) <= from.time
    }

    /// Whether a fragment that is open may end before the time that is waited for: then it is
    /// waited for as well.
    private func mayEndEarly(_ open: OpenFragment, _ head: FragmentRecord?) -> Bool {
        guard let from else { return false }
        let start = from.clock == .producer ? open.opening.producer : open.server
        let now = max(stream.log.now, head?.end(on: from.clock) ?? start)
        return start < from.time && now < from.time
    }

    private mutating func nextStored() async throws(LogError) -> FragmentRecord? {
        let (stream, position) = (stream, position)
        let (index, start) = (index, nextInIndex)
        let found = try await stream.log.readPool.run {
            () throws(LogError) -> (FragmentRecord, SegmentIndex?, Int)? in
            // Usually the next record of the same segment.
            if let index, start < index.count {
                let record = try index.record(start)
                if record.number > position,
                    !stream.state.withLock({ $0.document.isDeleted(record.number) })
                {
                    return (record, index, start + 1)
                }
            }
            let following = FragmentNumber(
                sequence: position.sequence,
                serverMilliseconds: position.serverMilliseconds,
                random: position.random
            )
            guard let record = try stream.firstRecord(after: following) else { return nil }
            let row = try stream.log.rows.segment(of: stream.id, containing: record.number)
            return (
                record, try row.flatMap { row throws(LogError) in try stream.index(of: row) },
                Int(record.position) + 1
            )
        }
        guard let (record, newIndex, next) = found else { return nil }
        self.index = newIndex
        nextInIndex = next
        return record
    }
}

extension StreamLog {
    /// A cursor at a place in the stream.
    ///
    /// - Throws: `.streamDeleted`, `.damaged`, `.ioError`.
    package func cursor(_ start: CursorStart) async throws(LogError) -> FragmentCursor {
        try checkOpen()
        let zero = FragmentNumber(sequence: 0, serverMilliseconds: 0, random: 0)
        switch start {
        case .earliest:
            return FragmentCursor(stream: self, after: zero)
        case .after(let number):
            return FragmentCursor(stream: self, after: number)
        case .newest:
            return FragmentCursor(stream: self, after: newestPosition() ?? zero)
        case .time(let instant, let clock):
            // What is stored while the past is searched comes behind this.
            let last = head?.number ?? zero
            let record = try await log.readPool.run { () throws(LogError) -> FragmentRecord? in
                // Usually footage follows soon; a long range of the server's clock costs more to
                // look up than a short one.
                let spans: [Int64] = [3_600_000, 24 * 3_600_000]
                for end in spans.map(instant.advanced) + [Timestamp(milliseconds: .max)]
                where end > instant {
                    var scan = TimeOrderScan(self, range: instant..<end, clock: clock, after: nil)
                    if let record = try scan.next() { return record }
                }
                return nil
            }
            if let record {
                return FragmentCursor(stream: self, after: record.number, first: record)
            }
            return FragmentCursor(stream: self, after: last, from: (instant, clock))
        }
    }

    /// The newest number before the fragment that is arriving.
    private func newestPosition() -> FragmentNumber? {
        state.withLock { state in
            let ended = state.open.last { $0.fragment.isEnded }?.fragment.number
            return ended ?? state.head?.number
        }
    }

    /// The visible fragment with the smallest number above `number`.
    ///
    /// Blocks.
    func firstRecord(after number: FragmentNumber) throws(LogError) -> FragmentRecord? {
        // Numbers of one stream differ in their sequence.
        try firstRecord(
            atOrAfter: FragmentNumber(
                sequence: number.sequence &+ 1,
                serverMilliseconds: 0,
                random: 0
            )
        )
    }
}

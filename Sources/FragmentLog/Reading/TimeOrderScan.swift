import Synchronization
import Catalog
import MediaModel

/// Walks the fragments of a stream that overlap a stretch of time, in the order of the chosen
/// clock.
///
/// Blocks.
///
/// Log segments come from the catalog in the order of their first timestamps, a page at a time, and
/// are merged: footage that was sent late lies in a segment of its own beside the one that was live
/// then. Since no segment spans more than twenty minutes, few are open at a time.
struct TimeOrderScan {
    private struct Source {
        var index: SegmentIndex
        var position: Int
        var buffer: ArraySlice<FragmentRecord>
    }

    private static let segmentsPerPage = 64
    private static let recordsPerRead = 16

    private let stream: StreamLog
    /// What was asked for.
    private let range: Range<Timestamp>
    /// The part of it that log segments are looked up for.
    private let searched: Range<Timestamp>
    private let clock: StreamClock
    private let after: FragmentPosition?
    private let document: StreamDocument
    private var rows: ArraySlice<SegmentRow> = []
    private var lastRow: SegmentRow?
    private var isExhausted = false
    private var sources: [Source] = []

    init(
        _ stream: StreamLog,
        range: Range<Timestamp>,
        clock: StreamClock,
        after: FragmentPosition?
    ) {
        self.stream = stream
        self.clock = clock
        // A page goes on where the one before ended: what starts earlier was given. One millisecond
        // of it is kept for fragments of no length.
        let resumed = clock == .producer ? after?.start.advanced(byMilliseconds: -1) : nil
        let begin = min(max(resumed ?? range.lowerBound, range.lowerBound), range.upperBound)
        self.range = range
        searched = begin..<range.upperBound
        self.after = after
        document = stream.state.withLock { $0.document }
    }

    /// The next fragment; of equal producer starts the one of the largest number only.
    mutating func next() throws(LogError) -> FragmentRecord? {
        while var record = try popSmallest() {
            if clock == .producer {
                while let other = try peekSmallest(), other.producer == record.producer {
                    record = try popSmallest() ?? record
                }
            }
            if let after, !follows(record, after) { continue }
            if try isSupersededOutside(record) { continue }
            return record
        }
        return nil
    }

    /// Whether a later fragment of the same producer start lies outside the range.
    ///
    /// Only where the fragment itself reaches into the range from before it, and the later one, being
    /// shorter, does not.
    private func isSupersededOutside(_ record: FragmentRecord) throws(LogError) -> Bool {
        guard clock == .producer, record.producer < range.lowerBound else { return false }
        var scan = TimeOrderScan(
            stream,
            range: record.producer..<record.producer.advanced(byMilliseconds: 1),
            clock: .producer,
            after: FragmentPosition(start: record.producer, number: record.number)
        )
        return try scan.next()?.producer == record.producer
    }

    private func follows(_ record: FragmentRecord, _ position: FragmentPosition) -> Bool {
        if clock == .server { return record.number > position.number }
        return (record.producer, record.number) > (position.start, position.number)
    }

    private func isBefore(_ left: FragmentRecord, _ right: FragmentRecord) -> Bool {
        if clock == .server { return left.number < right.number }
        return (left.producer, left.number) < (right.producer, right.number)
    }

    private mutating func smallestSource() throws(LogError) -> Int? {
        while true {
            var best: Int?
            for index in sources.indices {
                guard let record = sources[index].buffer.first else { continue }
                if let known = best.flatMap({ sources[$0].buffer.first }),
                    !isBefore(record, known)
                {
                    continue
                }
                best = index
            }
            // A segment that begins no later than the smallest record may hold a smaller one.
            guard let row = try peekRow() else { return best }
            if let record = best.flatMap({ sources[$0].buffer.first }) {
                let isLater =
                    clock == .server
                    ? row.first > record.number : row.producerStart > record.producer
                if isLater { return best }
            }
            rows = rows.dropFirst()
            try open(row)
        }
    }

    private mutating func peekSmallest() throws(LogError) -> FragmentRecord? {
        try smallestSource().flatMap { sources[$0].buffer.first }
    }

    private mutating func popSmallest() throws(LogError) -> FragmentRecord? {
        guard let index = try smallestSource(), let record = sources[index].buffer.first else {
            return nil
        }
        sources[index].buffer = sources[index].buffer.dropFirst()
        if sources[index].buffer.isEmpty, try !refill(index) { sources.remove(at: index) }
        return record
    }

    private mutating func peekRow() throws(LogError) -> SegmentRow? {
        if rows.isEmpty, !isExhausted {
            if clock == .server, let after, lastRow == nil,
                let row = try stream.log.rows.segment(of: stream.id, containing: after.number)
            {
                // The page before ended in this one.
                lastRow = row
                rows = [row]
                return row
            }
            rows = try stream.log.rows.segments(
                of: stream.id,
                range: searched,
                clock: clock,
                after: lastRow,
                limit: Self.segmentsPerPage
            )[...]
            lastRow = rows.last ?? lastRow
            isExhausted = rows.count < Self.segmentsPerPage
        }
        return rows.first
    }

    private mutating func open(_ row: SegmentRow) throws(LogError) {
        guard let index = try stream.index(of: row), index.count > 0 else { return }
        let clock = clock
        // What earlier fragments reach to is in each record, so this finds exactly the first that
        // goes on into the stretch; one of no length counts where it stands.
        let resumed = clock == .producer ? after?.start : nil
        let passed = clock == .server ? after?.number : nil
        let position = try index.firstPosition { record in
            if let passed, record.number <= passed { return false }
            if let resumed, record.start(on: clock) < resumed { return false }
            return record.reach(on: clock) > range.lowerBound
                || record.start(on: clock) >= range.lowerBound
        }
        sources.append(Source(index: index, position: position, buffer: []))
        if try !refill(sources.count - 1) { sources.removeLast() }
    }

    /// Reads on; false at the end of the segment or past the end of the stretch.
    private mutating func refill(_ index: Int) throws(LogError) -> Bool {
        while sources[index].position < sources[index].index.count {
            let records = try sources[index].index.records(
                from: sources[index].position,
                atMost: Self.recordsPerRead
            )
            sources[index].position += records.count
            let wanted = records.filter {
                $0.start(on: clock) < range.upperBound && $0.end(on: clock) > range.lowerBound
                    || ($0.durationMilliseconds == 0 && range.contains($0.start(on: clock)))
            }.filter { !document.isDeleted($0.number) }
            if !wanted.isEmpty {
                sources[index].buffer = wanted[...]
                return true
            }
            if let last = records.last, last.start(on: clock) >= range.upperBound { return false }
            if records.isEmpty { return false }
        }
        return false
    }
}

package import MediaModel

/// A place in the producer order of a stream's log segments: behind one of them.
package struct SegmentCursor: Equatable, Sendable {
    /// The producer start of the segment.
    package var producerStart: Timestamp

    /// The number of its first fragment.
    package var first: FragmentNumber

    /// The place behind `row`, to ask for what follows it.
    package init(after row: SegmentRow) {
        producerStart = row.producerStart
        first = row.first
    }

    /// A cursor from its parts.
    package init(producerStart: Timestamp, first: FragmentNumber) {
        self.producerStart = producerStart
        self.first = first
    }
}

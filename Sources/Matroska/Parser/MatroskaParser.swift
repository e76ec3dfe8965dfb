package import NIOCore

/// Takes apart what a PutMedia producer sends, as it arrives (KVS 2.3; RFC 9559; RFC 8794).
///
/// A value: a copy goes on from where the original stands. Time is linear in the bytes fed however
/// they are split, memory is bounded by ``MatroskaLimits``, and an element that lies whole in one
/// buffer is handed out as a slice of it.
///
/// The header (EBML through the last byte before the first Cluster) is kept as it came, except that
/// the Segment's size becomes "unknown" in eight bytes, and that a Tags element with our own
/// `KINELOG_SAMPLES` is left out, since the first of that name marks the first fragment of a stored
/// log segment.
package struct MatroskaParser: Sendable {
    /// Where in the document the next element stands.
    enum Level {
        /// Before the EBML header.
        case start
        /// After the EBML header, before the Segment.
        case beforeSegment
        /// Among the Segment's children.
        case segment
        /// Among a Cluster's children.
        case cluster
        /// After a Segment of known size.
        case afterSegment
    }

    /// What happens to the next bytes.
    enum Step {
        /// They are the id and size of an element.
        case head
        /// They belong to an element that is needed whole.
        case whole(ElementHead)
        /// So many of them are skipped.
        case skip(Int64)
    }

    /// The limits in force.
    package let limits: MatroskaLimits

    /// How many bytes of whole elements have been read; an element still incomplete begins here.
    var position: Int64 = 0
    var level = Level.start
    var step = Step.head

    /// What is left of the buffer being fed.
    var input = ByteBuffer()
    /// The first bytes of an element whose rest has not arrived.
    var partial = ByteBuffer()
    /// The first error; every later call throws it again.
    private var failure: MatroskaError?

    /// Where the Segment ends, if its size is known.
    var segmentEnd: Int64?
    /// What the bytes before the first Cluster have said so far; `nil` once they are over.
    var header: HeaderAssembly? = HeaderAssembly()
    /// Tracks that blocks may belong to.
    var tracks: [BlockTrack] = []
    /// Nanoseconds per tick.
    var timecodeScale: UInt64 = 1_000_000
    /// The Cluster being read.
    var cluster = ClusterState()
    /// The Cluster at hand has been announced by its id alone.
    var isClusterAnnounced = false

    /// A parser before the first byte.
    package init(limits: MatroskaLimits = MatroskaLimits()) {
        self.limits = limits
    }

    /// Feeds the next bytes.
    ///
    /// - Parameters:
    ///   - bytes: Any number of bytes, following on those fed before.
    ///   - events: Receives what was found, also what was found before an error.
    /// - Throws: Any code of ``MatroskaError`` but `.truncated` and `.invalidTable`; the same error
    ///   again on every later call.
    package mutating func consume(
        _ bytes: ByteBuffer,
        into events: inout [Event]
    ) throws(MatroskaError) {
        if let failure { throw failure }
        input = bytes
        defer { input = ByteBuffer() }
        do {
            while try advance(&events) {}
        } catch {
            failure = error
            partial = ByteBuffer()
            throw error
        }
    }

    /// Ends the document.
    ///
    /// An end between elements is orderly: before the first byte, after the header, between the
    /// children of a Cluster of unknown size once its Timecode is known, or after one.
    ///
    /// - Parameter events: Receives the end of an open Cluster; a header that no Cluster followed.
    /// - Throws: `.truncated` when the bytes end inside an element, a Cluster or Segment of known
    ///   size included; `.checksumMismatch` or `.invalidData` for the Cluster that ends here.
    package mutating func finish(into events: inout [Event]) throws(MatroskaError) {
        if let failure { throw failure }
        do {
            try end(&events)
        } catch {
            failure = error
            throw error
        }
    }

    private mutating func end(_ events: inout [Event]) throws(MatroskaError) {
        guard isBetweenElements else {
            throw MatroskaError(
                .truncated,
                "The document ends in the middle of an element; the producer was lost or stopped early.",
                at: position
            )
        }
        if level == .cluster { try endCluster(&events) }
        if let header, header.hasTracks { try emitHeader(&events) }
    }

    /// Whether the document may end here.
    private var isBetweenElements: Bool {
        guard partial.readableBytes == 0, case .head = step else { return false }
        switch level {
        case .start, .afterSegment: return true
        case .beforeSegment: return false
        case .segment: return segmentEnd == nil
        // Without a Timecode nothing of the Cluster could be kept.
        case .cluster: return segmentEnd == nil && cluster.end == nil && cluster.timecode != nil
        }
    }

    /// Takes one step; `false` when it needs more bytes than there are.
    private mutating func advance(_ events: inout [Event]) throws(MatroskaError) -> Bool {
        switch step {
        case .head:
            guard let head = try readHead(&events) else { return false }
            try begin(head, &events)
        case .whole(let head):
            guard let bytes = take(head.length + Int(head.size ?? 0)) else { return false }
            step = .head
            let element = Element(
                id: head.id,
                bytes: bytes,
                headLength: head.length,
                offset: position
            )
            position += Int64(bytes.readableBytes)
            try complete(element, &events)
        case .skip(let count):
            guard skip(count) else { return false }
            step = .head
        }
        if case .head = step { try leaveEndedMasters(&events) }
        return true
    }

    /// Closes the Cluster and the Segment that end at this byte.
    private mutating func leaveEndedMasters(_ events: inout [Event]) throws(MatroskaError) {
        if level == .cluster, position == cluster.end ?? segmentEnd { try endCluster(&events) }
        if level == .segment, position == segmentEnd { level = .afterSegment }
    }
}

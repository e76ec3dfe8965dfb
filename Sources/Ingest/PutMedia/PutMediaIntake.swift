import FragmentLog
import Matroska
import MediaModel
import NIOCore

/// Turns the bytes of one PutMedia connection into fragments: each Cluster is one, stored almost as
/// it came (KVS 2.4).
///
/// A value that one task owns. After a throw only ``breakOff(_:keepsWhole:)`` may be called.
struct PutMediaIntake {
    let session: ProducerSession
    let request: PutMediaRequest
    let limits: PutMediaLimits
    let ledger: AckLedger
    let clock: any WallClock

    private var parser: MatroskaParser
    private var events: [MatroskaParser.Event] = []

    var media: MediaFacts?
    var cluster: ArrivingCluster?

    /// Tags that belong to the next Cluster.
    var tagsBefore = TagCollector()

    /// When the first byte arrived, and the newest Cluster's.
    private var firstArrival: Timestamp?
    var clusterArrival: Timestamp?

    /// The newest Cluster's timecode; the next must be greater.
    var lastTimecode: UInt64?

    /// Producer time and media time up to which footage was kept.
    var end: Timestamp?
    var endMs: Int64?

    init(
        session: ProducerSession,
        request: PutMediaRequest,
        limits: PutMediaLimits,
        ledger: AckLedger,
        clock: any WallClock
    ) {
        self.session = session
        self.request = request
        self.limits = limits
        self.ledger = ledger
        self.clock = clock
        parser = MatroskaParser(limits: limits.matroska)
    }

    /// Takes the next bytes of the body.
    ///
    /// - Throws: Why the connection ends here; what came before it has been taken.
    mutating func consume(_ bytes: ByteBuffer) async throws(PutMediaStop) {
        if firstArrival == nil { firstArrival = clock.now() }
        try checkLedger()
        var failure: MatroskaError?
        do throws(MatroskaError) {
            try parser.consume(bytes, into: &events)
        } catch {
            failure = error
        }
        try await takeEvents()
        if let failure { throw try stop(for: failure) }
    }

    /// Takes the orderly end of the body: the last Cluster is complete.
    ///
    /// - Throws: When the end is in the middle of an element, or the last fragment breaks a rule.
    mutating func finish() async throws(PutMediaStop) {
        var failure: MatroskaError?
        do throws(MatroskaError) {
            try parser.finish(into: &events)
        } catch {
            failure = error
        }
        try await takeEvents()
        if let failure { throw try stop(for: failure) }
        try closeCluster(nextStartMs: nil)
        try checkLedger()
    }

    /// Ends in the middle: a Cluster that is whole counts, of another the part that arrived is kept
    /// as incomplete, and the gap behind it is stored.
    ///
    /// - Parameters:
    ///   - reason: Why what follows is missing; `nil` where nothing is.
    ///   - keepsWhole: Whether the Cluster at hand broke no rule, so that it counts if it is whole.
    mutating func breakOff(_ reason: GapReason?, keepsWhole: Bool) {
        events = []
        let isWhole = keepsWhole && (cluster?.isEnded ?? false)
        // What cannot be closed has been ended by the log already.
        try? closeCluster(nextStartMs: nil, isBroken: !isWhole)
        guard let reason else { return }
        if let end {
            session.report(Gap(start: end, end: end, clock: .producer, reason: reason))
        } else if let arrival = clusterArrival ?? (reason == .disconnect ? nil : firstArrival) {
            // A client that goes before it has sent any media leaves nothing out.
            session.reportRefusal(reason, at: arrival)
        }
    }

    /// The most events that room is kept for; a chunk of tiny elements has thousands.
    private static let eventsKeptMax = 1024

    private mutating func takeEvents() async throws(PutMediaStop) {
        // Taken out and put back, so that the next chunk's events need no new memory.
        var events: [MatroskaParser.Event] = []
        swap(&events, &self.events)
        defer {
            events.removeAll(keepingCapacity: events.count <= Self.eventsKeptMax)
            self.events = events
        }
        for event in events {
            switch event {
            case .header(let document): media = MediaFacts(document, request, session, limits)
            case .clusterStart: clusterStarts()
            case .timecode(let timecode): try await timecodeArrives(timecode)
            case .child(let bytes, let samples): try await childArrives(bytes, samples)
            case .clusterEnd: cluster?.isEnded = true
            case .tags(let raw, let items): try tagsArrive(raw, items)
            }
        }
    }

    /// Unreadable bytes: the Cluster at hand fails, unless it is whole and the next one is at fault.
    private mutating func stop(for failure: MatroskaError) throws(PutMediaStop) -> PutMediaStop {
        let stop = PutMediaStop(failure)
        guard let cluster, !cluster.isEnded else {
            try closeCluster(nextStartMs: nil)
            return stop
        }
        return stop.about(cluster.facts.timecode, cluster.number)
    }

    private func checkLedger() throws(PutMediaStop) {
        guard let failure = ledger.failure else { return }
        throw PutMediaStop(failure.error).about(failure.timecode, failure.number)
    }
}

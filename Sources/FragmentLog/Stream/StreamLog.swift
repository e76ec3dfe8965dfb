import Catalog
import Logging
import Matroska
package import MediaModel
import NIOCore
import Synchronization

/// One stream: its log segments, its open fragments, its producers and its readers.
///
/// Three kinds of work meet here. Producers begin and end fragments under the short lock of
/// ``state``. A *commit run* (see `StreamLog+Commit.swift`), of which there is never more than one
/// at a time, takes what has ended, in number order, and makes it durable. Readers look at the
/// published head, at the catalog for older log segments, and at open fragments.
package final class StreamLog: Sendable {
    /// The part of a log segment under construction that readers may use.
    struct PublishedSegment {
        var id: SegmentID
        /// Records in its `.idx` that are published.
        var count: Int
        var firstRecord: FragmentRecord
        var lastRecord: FragmentRecord
    }

    /// Where the one commit run of the stream stands.
    enum CommitRun: Equatable {
        case idle
        /// Begins when the timer of this count fires, or earlier when the stream is closed.
        case waiting(timer: UInt64)
        /// On a thread of the pool, or about to be.
        case running
    }

    /// A log segment that a start could not bring into order.
    struct LeftSegment {
        var row: SegmentRow
        var error: LogError
    }

    struct PendingEvent {
        /// What is to be stored; `nil` for somebody who only waits for those before.
        var event: StreamEvent?
        var completion: (@Sendable () -> Void)?
    }

    struct State {
        var document: StreamDocument
        /// The next sequence to give out; below `reservedEnd`.
        var nextSequence: UInt64
        /// Sequences below this are reserved durably.
        var reservedEnd: UInt64
        var isReserving = false
        /// The first sequence of this run.
        let firstSequence: UInt64
        var lastServer: Timestamp
        var nextSession: UInt64
        var head: FragmentRecord?
        var active: PublishedSegment?
        /// Complete segments whose rows are still open, with the records they hold.
        var closing: [SegmentID: Int] = [:]
        /// Log segments that the start could not bring into order; nothing of them is listed.
        var left: [LeftSegment] = []
        /// Whether a write of `stream.json` failed in such a way that either document may be there.
        var isDocumentUnsure = false
        /// Why expiry by age waits, until `stream.json` says so.
        var unstoredPause: String?
        /// Fragments that have begun and are not durable yet, in number order.
        var open: [(fragment: OpenFragment, session: ProducerSession)] = []
        var pendingEvents: [PendingEvent] = []
        /// Events that could not be written; tried again with the next ones and from time to time.
        var deferredEvents: [PendingEvent] = []
        var commitRun = CommitRun.idle
        /// Timers for commit runs so far, which tells an overtaken one.
        var commitTimers: UInt64 = 0
        var arbiter: TakeoverArbiter
        /// Which session's fragment was stored last, and when its last bytes came.
        var lastSent: (session: UInt64, bootMilliseconds: Int64)?
        var sessionCount = 0
        /// When a session took the stream over last, in milliseconds since boot.
        var takenOverAt: Int64?
        /// Set when the stream is deleted or the log is closed: nothing begins any more.
        var closed: LogError?
        /// Set once everything is written after that: nothing is recorded any more.
        var isOver = false
    }

    /// Identity on disk.
    package let id: StreamID
    /// The stream's name; never changes.
    package let name: StreamName
    /// The log the stream belongs to.
    package let log: FragmentLog
    let directory: String
    let state: Mutex<State>
    /// Signals when a fragment begins, becomes durable or goes, and when the stream closes.
    let changes = ChangeSignal()
    /// Held by the one commit run and by whatever must not run beside it.
    let commit: Mutex<CommitState>
    /// Held while `stream.json` is replaced, so that the newest document wins.
    let documentLock = Mutex(())

    init(
        document: StreamDocument,
        directory: String,
        log: FragmentLog,
        head: FragmentRecord?,
        nextOrdinal: UInt64,
        nextSequence: UInt64,
        nextSession: UInt64,
        eventsLength: UInt64
    ) {
        id = document.info.id
        name = document.info.name
        self.log = log
        self.directory = directory
        let configuration = log.configuration
        state = Mutex(
            State(
                document: document,
                nextSequence: nextSequence,
                reservedEnd: document.sequenceHighWater,
                firstSequence: nextSequence,
                lastServer: head?.server ?? configuration.clockFloor,
                nextSession: nextSession,
                head: head,
                arbiter: TakeoverArbiter(
                    takeoversPerMinuteMax: configuration.takeoversPerMinuteMax,
                    refusalMilliseconds: configuration.contentionMilliseconds
                )
            )
        )
        commit = Mutex(CommitState(nextOrdinal: nextOrdinal, eventsLength: eventsLength))
    }

    /// What is known about the stream.
    package var info: StreamInfo { state.withLock { $0.document.info } }

    /// The newest durable fragment; `nil` while there is none.
    package var head: FragmentRecord? { state.withLock { $0.head } }

    /// Whether the stream keeps only the ring of retention 0.
    package var isRing: Bool {
        state.withLock { $0.document.info.settings.retentionHours == 0 }
    }

    /// Who may write the stream's rows.
    var epoch: UInt64 { state.withLock { $0.document.ownerEpoch } }
}

/// The names in a stream's directory.
enum StreamFiles {
    static let document = "stream.json"
    static let events = "events.log"

    static func media(_ first: FragmentNumber) -> String { "\(first).mkv" }
    static func index(_ first: FragmentNumber) -> String { "\(first).idx" }
}

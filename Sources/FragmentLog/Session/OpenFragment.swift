import Logging
import Glibc
import Matroska
package import MediaModel
package import NIOCore
import Synchronization

/// A fragment that is still arriving.
///
/// Its bytes live in memory, or partly in a spill file when memory is short; live readers see every
/// child of the Cluster as it is appended. One producer appends and ends it; any number of readers
/// follow it. Once it is durable it forgets its bytes and readers go on from the log segment.
package final class OpenFragment: Sendable {
    /// The number, assigned at the first byte.
    package let number: FragmentNumber
    /// What was known at the start.
    package let opening: FragmentOpening
    /// Our clock at the first byte.
    package let server: Timestamp
    /// The producer session.
    package let session: UInt64

    /// How the fragment ended, seen from outside.
    package enum State: Sendable {
        /// More may come.
        case open
        /// Complete, on its way to the disk.
        case finished
        /// The producer was lost; what is there is all there will be.
        case incomplete
        /// Nothing of it is kept.
        case failed(LogError)
    }

    /// What a live reader gets.
    package struct LiveBytes: Sendable {
        /// Bytes of whole and partial Cluster children from the offset asked for, in order.
        package var bytes: ByteBuffer
        /// Whether and how the fragment has ended; its last bytes are in `bytes` when the offset
        /// after them is ``childrenLength``.
        package var state: State
        /// All children bytes there are so far.
        package var childrenLength: Int
    }

    /// How the pieces in memory are sized: small enough to spill and copy, large enough to be few.
    private static let slabBytes = 256 << 10

    struct Content {
        var slabs: [ByteBuffer] = []
        /// Offset of the first slab's first byte among the children.
        var slabStart = 0
        var length = 0
        var crc = CRC32()
        var samples: [SampleEntry] = []
        /// Bytes counted in the budget: slabs and samples.
        var counted = 0
        /// Whether the disk refused its bytes once it had ended.
        var isSpillRefused = false
        var state = State.open
        var lastAppend: Int64
        var spillFile: OpenFile?
        var closing: FragmentClosing?
        var completion: (@Sendable (Result<FragmentRecord, LogError>) -> Void)?
        var record: FragmentRecord?
        var interruption: LogError?
    }

    let content: Mutex<Content>
    let changes = ChangeSignal()
    let stream: StreamLog
    let spillPath: String
    /// Held while bytes are moved to the spill file.
    let spillLock = Mutex(())

    init(
        number: FragmentNumber,
        opening: FragmentOpening,
        server: Timestamp,
        session: UInt64,
        stream: StreamLog
    ) {
        self.number = number
        self.opening = opening
        self.server = server
        self.session = session
        self.stream = stream
        spillPath = "\(stream.directory)/open-\(session)-\(number.sequence).part"
        content = Mutex(Content(lastAppend: stream.log.clock.bootMilliseconds()))
    }

    deinit {
        // A fragment that was never ended gives its memory back all the same.
        let left = content.withLock { $0.counted }
        if left > 0 { _ = stream.log.budget.add(-left) }
    }

    // MARK: Producing

    /// Bytes of children appended so far.
    package var childrenLength: Int { content.withLock { $0.length } }

    /// Appends one whole child element of the Cluster, verbatim.
    ///
    /// Never waits.
    ///
    /// - Parameters:
    /// - head: The child's first bytes, or all of it.
    /// - payload: The rest of the child.
    /// - samples: The samples in the child; offsets count from the child's first byte.
    /// - Throws: `.takenOver` when a newer session ended a silent fragment, `.memory` when it could
    /// not be spilled, `.streamDeleted`; the fragment is over then.
    package func append(
        _ head: ByteBuffer,
        _ payload: ByteBuffer?,
        samples: [SampleEntry]
    )
        throws(LogError)
    {
        let now = stream.log.clock.bootMilliseconds()
        let added = head.readableBytes + (payload?.readableBytes ?? 0)
        // A child may be little more than a table of tiny samples.
        let counted = added + samples.count * MemoryLayout<SampleEntry>.stride
        let failure = content.withLock { content -> LogError? in
            if let interruption = content.interruption { return interruption }
            let base = UInt64(ClusterWriter.checksumLength + content.length)
            for var sample in samples {
                sample.offset += base
                content.samples.append(sample)
            }
            Self.add(head, to: &content, room: added)
            if let payload { Self.add(payload, to: &content, room: payload.readableBytes) }
            content.counted += counted
            content.lastAppend = now
            return nil
        }
        if let failure { throw failure }
        if stream.log.budget.add(counted) { stream.log.startSpilling() }
        changes.signal()
    }

    private static func add(_ bytes: ByteBuffer, to content: inout Content, room: Int) {
        content.crc.update(bytes)
        content.length += bytes.readableBytes
        if let last = content.slabs.indices.last,
            content.slabs[last].readableBytes + bytes.readableBytes <= slabBytes
        {
            content.slabs[last].writeImmutableBuffer(bytes)
        } else {
            var slab = ByteBuffer()
            slab.reserveCapacity(content.slabs.isEmpty ? max(room, 4096) : max(room, slabBytes))
            slab.writeImmutableBuffer(bytes)
            content.slabs.append(slab)
        }
    }

    /// Ends the fragment.
    ///
    /// - Parameters:
    ///   - closing: What is known now.
    ///   - completion: Runs once, on any thread: with the record when the fragment is durable at
    ///     the stream's level, or with the reason why it is not.
    package func finish(
        _ closing: FragmentClosing,
        completion: @escaping @Sendable (Result<FragmentRecord, LogError>) -> Void
    ) {
        let failure = content.withLock { content -> LogError? in
            if let interruption = content.interruption { return interruption }
            guard content.closing == nil else {
                return LogError(.invalidArgument, "Fragment \(number) was ended twice.")
            }
            content.closing = closing
            content.completion = completion
            content.state = closing.flags.contains(.incomplete) ? .incomplete : .finished
            return nil
        }
        if let failure {
            completion(.failure(failure))
            return
        }
        changes.signal()
        stream.fragmentEnded()
    }

    // MARK: Ending from outside

    /// Ends the fragment for its producer, whose next append gets `error`.
    ///
    /// What is there is kept as incomplete, or dropped when there is no whole sample.
    func interrupt(_ error: LogError) {
        let interrupted = content.withLock { content -> Bool in
            guard content.closing == nil, content.interruption == nil else { return false }
            content.interruption = error
            content.closing = FragmentClosing(
                durationMilliseconds: Self.estimatedDuration(content.samples, opening),
                flags: .incomplete
            )
            content.state = .incomplete
            return true
        }
        if interrupted {
            changes.signal()
            stream.fragmentEnded()
        }
    }

    /// Drops the fragment whole.
    func fail(_ error: LogError) {
        let completion = content.withLock { content in
            // The producer hears why it was ended, not what then became of its part.
            content.interruption = content.interruption ?? error
            content.state = .failed(error)
            if content.closing == nil { content.closing = FragmentClosing(durationMilliseconds: 0) }
            defer { content.completion = nil }
            return content.completion
        }
        releaseBytes()
        completion?(.failure(error))
        changes.signal()
    }

    /// From the first to the last presentation time of the governing track, in milliseconds.
    private static func estimatedDuration(
        _ samples: [SampleEntry],
        _ opening: FragmentOpening
    )
        -> UInt32
    {
        guard let first = samples.first,
            let track = opening.tracks.first(where: { $0.number == first.track })
        else { return 0 }
        let times = samples.lazy.filter { $0.track == first.track }.map(\.pts)
        guard let low = times.min(), let high = times.max(),
            let milliseconds = track.timeBase.milliseconds(high &- low)
        else { return 0 }
        return UInt32(clamping: milliseconds)
    }

    // MARK: The log's side

    /// Whether nothing of it can be stored: no whole sample came, or it was dropped.
    var isEmpty: Bool {
        content.withLock { content in
            if case .failed = content.state { return true }
            return content.length == 0 || content.samples.isEmpty
        }
    }

    var isEnded: Bool { content.withLock { $0.closing != nil } }

    /// Bytes that spilling would free.
    ///
    /// A fragment on its way to the disk gives its memory back by itself, unless it has to wait
    /// behind one of an older session.
    var spillableBytes: Int {
        let isWaiting = stream.isWaiting(self)
        return content.withLock { content in
            content.closing == nil || isWaiting && !content.isSpillRefused
                ? content.slabs.reduce(0) { $0 + $1.readableBytes } : 0
        }
    }

    /// Bytes counted in the budget.
    var countedBytes: Int { content.withLock { $0.counted } }

    /// When bytes came last, in milliseconds since boot.
    var lastAppend: Int64 { content.withLock { $0.lastAppend } }

    var millisecondsSinceAppend: Int64 { stream.log.clock.bootMilliseconds() - lastAppend }

    /// Makes the fragment's end known: readers go on from the log segment.
    func published(_ record: FragmentRecord) {
        let completion = content.withLock { content in
            content.record = record
            defer { content.completion = nil }
            return content.completion
        }
        releaseBytes()
        completion?(.success(record))
        changes.signal()
    }

    private func releaseBytes() {
        let (freed, hadFile) = content.withLock { content in
            content.slabs = []
            content.samples = []
            defer {
                content.spillFile = nil
                content.counted = 0
            }
            return (content.counted, content.spillFile != nil)
        }
        if hadFile { try? Directory.unlink(spillPath) }
        stream.log.budget.leave(self)
        if freed > 0 { _ = stream.log.budget.add(-freed) }
    }
}

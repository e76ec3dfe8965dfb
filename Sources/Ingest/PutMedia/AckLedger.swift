import FragmentLog
import MediaModel
import Synchronization

/// Keeps the acknowledgements of one connection in order.
///
/// PERSISTED of a fragment waits for those before it, and after a fragment that could not be stored
/// none follows: a client frees everything up to the fragment named (KVS 2.6). Called by the
/// connection's task and by the log's threads.
final class AckLedger: Sendable {
    private struct Entry {
        let number: FragmentNumber
        let timecode: UInt64
        var isDurable = false
    }

    private struct State {
        var waiting: [Entry] = []
        var failure: (entry: (timecode: UInt64, number: FragmentNumber), error: LogError)?
        var summary = PushSummary()
    }

    /// What went wrong with a fragment that was complete.
    struct Failure {
        let timecode: UInt64
        let number: FragmentNumber
        let error: LogError
    }

    private let state = Mutex(State())
    private let acks: AsyncStream<PutMediaAck>.Continuation
    private let wantsAcknowledgements: Bool
    private let sendsPersisted: Bool

    /// Signals the first fragment that could not be stored.
    let failed = Latch<Void>()

    init(
        _ acks: AsyncStream<PutMediaAck>.Continuation,
        wantsAcknowledgements: Bool,
        sendsPersisted: Bool
    ) {
        self.acks = acks
        self.wantsAcknowledgements = wantsAcknowledgements
        self.sendsPersisted = sendsPersisted
    }

    func buffering(_ timecode: UInt64, _ number: FragmentNumber) {
        send(.buffering(timecode: timecode, number))
    }

    /// A fragment is complete and goes to the disk.
    func received(_ timecode: UInt64, _ number: FragmentNumber) {
        state.withLock { $0.waiting.append(Entry(number: number, timecode: timecode)) }
        send(.received(timecode: timecode, number))
    }

    /// A fragment that was complete is durable, or is not.
    func settled(_ number: FragmentNumber, _ result: Result<FragmentRecord, LogError>) {
        let isFirstFailure = state.withLock { state -> Bool in
            guard let index = state.waiting.firstIndex(where: { $0.number == number }) else {
                return false
            }
            switch result {
            case .failure(let error):
                let entry = state.waiting.remove(at: index)
                guard state.failure == nil else { return false }
                state.failure = ((entry.timecode, entry.number), error)
                return true
            case .success(let record):
                state.waiting[index].isDurable = true
                state.summary.fragmentCount += 1
                state.summary.sizeBytes += record.servedLength
                state.summary.lastFragment = record.number
                while state.failure == nil, let first = state.waiting.first, first.isDurable {
                    state.waiting.removeFirst()
                    // Under the lock: two threads must not change the order.
                    if sendsPersisted { send(.persisted(timecode: first.timecode, first.number)) }
                }
                return false
            }
        }
        if isFirstFailure { failed.set(()) }
    }

    func idle() {
        send(.idle)
    }

    /// The last acknowledgement; sent whether or not others are wanted.
    func error(_ failure: PutMediaFailure, timecode: UInt64?, _ number: FragmentNumber?) {
        acks.yield(.error(failure, timecode: timecode, number))
    }

    /// The first fragment that could not be stored.
    var failure: Failure? {
        state.withLock { state in
            state.failure.map {
                Failure(timecode: $0.entry.timecode, number: $0.entry.number, error: $0.error)
            }
        }
    }

    /// What is stored.
    var summary: PushSummary { state.withLock { $0.summary } }

    private func send(_ ack: PutMediaAck) {
        if wantsAcknowledgements { acks.yield(ack) }
    }
}

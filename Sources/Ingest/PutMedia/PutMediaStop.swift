import FragmentLog
import Matroska
import MediaModel

/// Why a connection's media is not read any further.
struct PutMediaStop: Error {
    enum Reason {
        /// The client is told.
        case failed(PutMediaFailure)
        /// A newer connection sends; the client gets what is owed and a clean end.
        case takenOver
        /// The server is shutting down, likewise.
        case shuttingDown
    }

    let reason: Reason

    /// What was found, for the log.
    let message: String

    /// Why the media that follows is missing; `nil` where another connection sends it.
    let gapReason: GapReason?

    /// The fragment concerned.
    var timecode: UInt64?
    var number: FragmentNumber?

    init(_ failure: PutMediaFailure, _ message: String, timecode: UInt64? = nil) {
        reason = .failed(failure)
        self.message = message
        gapReason = failure.gapReason
        self.timecode = timecode
    }

    /// What a failure of the log means on the wire.
    init(_ error: LogError) {
        message = error.message
        // One error on the wire stands for several reasons.
        gapReason = error.code == .takenOver ? nil : IngestError(error).gapReason
        reason =
            switch error.code {
            case .takenOver: .takenOver
            case .shuttingDown: .shuttingDown
            case .streamDeleted, .streamNotFound, .recordingOff: .failed(.streamNotActive)
            case .contention, .memory, .tooManySessions, .invalidArgument: .failed(.internalError)
            case .diskFull, .ioError, .damaged, .volumeMissing, .newerVersion, .locked, .gone,
                .noRetention, .streamExists, .streamHeld:
                .failed(.archivalError)
            }
    }

    /// What unreadable Matroska means on the wire.
    init(_ error: MatroskaError) {
        message = error.description
        let failure: PutMediaFailure =
            switch error.code {
            case .tooManyTracks: .moreThanAllowedTracksFound
            case .trackMismatch: .trackNumberMismatch
            case .blockTooLarge: .maxFragmentSizeReached
            case .tagsTooLarge: .fragmentMetadataLimitReached
            case .timecodeOutOfRange: .invalidProducerTimestamp
            case .truncated: .streamReadError
            case .invalidData, .headerTooLarge, .codecPrivateTooLarge, .checksumMismatch,
                .invalidTable:
                .invalidMKVData
            }
        reason = .failed(failure)
        gapReason = failure.gapReason
    }

    /// Whether no rule was broken and nothing failed.
    var isOrderly: Bool {
        if case .failed = reason { return false }
        return true
    }

    /// The same about a fragment.
    func about(_ timecode: UInt64?, _ number: FragmentNumber?) -> PutMediaStop {
        var stop = self
        stop.timecode = stop.timecode ?? timecode
        stop.number = stop.number ?? number
        return stop
    }
}

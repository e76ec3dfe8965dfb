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

    /// Why the media that follows is missing; `nil` where another connection sends it: the log has
    /// told of refusing this one.
    let gapReason: GapReason?

    /// What was found, for the log.
    let message: String

    /// The fragment concerned.
    var timecode: UInt64?
    var number: FragmentNumber?

    init(_ failure: PutMediaFailure, _ message: String, timecode: UInt64? = nil) {
        reason = .failed(failure)
        gapReason = failure.gapReason
        self.message = message
        self.timecode = timecode
    }

    /// What a failure of the log means on the wire.
    init(_ error: LogError) {
        message = error.message
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
        // One error on the wire stands for several reasons.
        gapReason =
            switch error.code {
            case .takenOver, .contention: nil
            default: IngestError(error).gapReason
            }
    }

    /// The server ends the body because it stops.
    init(shuttingDown error: IngestError) {
        reason = .shuttingDown
        gapReason = .restart
        message = error.message
    }

    /// What unreadable Matroska means on the wire.
    init(_ error: MatroskaError) {
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
        self.init(failure, error.description)
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

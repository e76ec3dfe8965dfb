package import FragmentLog
package import MediaModel

extension IngestError {
    /// What a failure of the log means for the session that met it.
    package init(_ error: LogError) {
        let code: Code =
            switch error.code {
            case .takenOver: .takenOver
            case .contention: .contention
            case .tooManySessions: .tooManySessions
            case .memory: .memory
            case .diskFull: .diskFull
            case .streamDeleted, .streamNotFound: .streamDeleted
            case .recordingOff: .recordingOff
            case .shuttingDown: .shuttingDown
            case .invalidArgument: .invalidArgument
            case .ioError, .damaged, .volumeMissing, .newerVersion, .locked, .gone, .noRetention,
                .streamExists, .streamHeld:
                .ioError
            }
        self.init(
            code,
            error.message,
            cause: error.cause,
            retryAfterMilliseconds: error.retryAfterMilliseconds
        )
    }

    /// How the session's end is written down, and the gap it leaves behind the last sample.
    package var gapReason: GapReason {
        switch code {
        case .memory: .memory
        case .diskFull: .diskFull
        case .ioError: .ioError
        case .contention, .takenOver: .contention
        case .shuttingDown: .restart
        case .streamDeleted: .deleted
        case .tooManySessions: .overload
        case .fragmentTooLarge, .tooManyTracks, .mediaHeaderTooLarge: .limit
        case .idle, .disconnected, .truncated: .disconnect
        case .unknownContainer, .noTimestamps, .emptyBody, .garbage, .recordingOff,
            .invalidArgument:
            .refused
        }
    }
}

package import FragmentLog
package import Ingest
package import Playback

/// The one place where failures of the layers below become answers.
extension APIError {
    /// What a failure of the log means for the request that met it.
    package init(_ error: LogError) {
        let code: Code =
            switch error.code {
            case .streamNotFound: .streamNotFound
            case .streamExists: .streamExists
            case .streamDeleted: .streamDeleted
            case .streamHeld: .streamHeld
            case .invalidArgument: .invalidArgument
            case .takenOver: .takenOver
            case .contention: .contention
            case .tooManySessions: .tooManySessions
            case .memory: .memory
            case .diskFull: .diskFull
            case .ioError: .ioError
            case .damaged: .damaged
            case .volumeMissing: .volumeMissing
            case .newerVersion, .locked: .internalError
            case .gone: .gone
            case .recordingOff: .recordingOff
            case .shuttingDown: .shuttingDown
            case .noRetention: .noRetention
            }
        self.init(
            code,
            error.message,
            retryAfterSeconds: Self.seconds(error.retryAfterMilliseconds),
            cause: error.cause
        )
    }

    /// What a failed push or PutMedia session means for its producer.
    package init(_ error: IngestError) {
        let code: Code =
            switch error.code {
            case .unknownContainer: .unknownContainer
            case .noTimestamps: .noTimestamps
            case .emptyBody: .emptyBody
            case .garbage: .garbage
            case .truncated: .truncated
            case .disconnected: .disconnected
            case .tooManyTracks: .tooManyTracks
            case .fragmentTooLarge: .fragmentTooLarge
            case .mediaHeaderTooLarge: .mediaHeaderTooLarge
            case .idle: .requestTimeout
            case .takenOver: .takenOver
            case .contention: .contention
            case .tooManySessions: .tooManySessions
            case .memory: .memory
            case .diskFull: .diskFull
            case .ioError: .ioError
            case .streamDeleted: .streamDeleted
            case .recordingOff: .recordingOff
            case .shuttingDown: .shuttingDown
            case .invalidArgument: .invalidArgument
            }
        self.init(
            code,
            error.message,
            retryAfterSeconds: Self.seconds(error.retryAfterMilliseconds),
            cause: error.cause
        )
    }

    /// What a failed read means for its reader.
    package init(_ error: PlaybackError) {
        let code: Code =
            switch error.code {
            case .notFound: .fragmentNotFound
            case .gone: .gone
            case .damaged: .damaged
            case .unsupported: .unsupportedMedia
            case .ioError: .ioError
            case .cancelled: .shuttingDown
            }
        self.init(code, error.message, cause: error.cause)
    }

    /// Whole seconds, rounded up.
    private static func seconds(_ milliseconds: Int64?) -> Int? {
        milliseconds.map { Int(clamping: $0 / 1000 + ($0 % 1000 > 0 ? 1 : 0)) }
    }

    /// What any error means; one that no layer of ours made is ours to fix.
    package init(any error: any Error) {
        switch error {
        case let error as APIError: self = error
        case let error as LogError: self.init(error)
        case let error as IngestError: self.init(error)
        case let error as PlaybackError: self.init(error)
        default:
            self.init(
                .internalError,
                "The server failed to answer; its log has the reason.",
                cause: error
            )
        }
    }
}

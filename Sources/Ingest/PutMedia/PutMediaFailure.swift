import MediaModel

/// An error that ends a PutMedia connection, with its id on the wire (KVS 2.6).
package enum PutMediaFailure: Int, Sendable, CaseIterable {
    case streamReadError = 4000
    case maxFragmentSizeReached = 4001
    case maxFragmentDurationReached = 4002
    case maxConnectionDurationReached = 4003
    case fragmentTimecodeLesserThanPrevious = 4004
    case moreThanOneTrackFound = 4005
    case invalidMKVData = 4006
    case invalidProducerTimestamp = 4007
    case streamNotActive = 4008
    case fragmentMetadataLimitReached = 4009
    case trackNumberMismatch = 4010
    case framesMissingForTrack = 4011
    case moreThanAllowedTracksFound = 4012
    case internalError = 5000
    case archivalError = 5001

    /// `ErrorCode` of the acknowledgement.
    package var codeText: String {
        switch self {
        case .streamReadError: "STREAM_READ_ERROR"
        case .maxFragmentSizeReached: "MAX_FRAGMENT_SIZE_REACHED"
        case .maxFragmentDurationReached: "MAX_FRAGMENT_DURATION_REACHED"
        case .maxConnectionDurationReached: "MAX_CONNECTION_DURATION_REACHED"
        case .fragmentTimecodeLesserThanPrevious: "FRAGMENT_TIMECODE_LESSER_THAN_PREVIOUS"
        case .moreThanOneTrackFound: "MORE_THAN_ONE_TRACK_FOUND"
        case .invalidMKVData: "INVALID_MKV_DATA"
        case .invalidProducerTimestamp: "INVALID_PRODUCER_TIMESTAMP"
        case .streamNotActive: "STREAM_NOT_ACTIVE"
        case .fragmentMetadataLimitReached: "FRAGMENT_METADATA_LIMIT_REACHED"
        case .trackNumberMismatch: "TRACK_NUMBER_MISMATCH"
        case .framesMissingForTrack: "FRAMES_MISSING_FOR_TRACK"
        case .moreThanAllowedTracksFound: "MORE_THAN_ALLOWED_TRACKS_FOUND"
        case .internalError: "INTERNAL_ERROR"
        case .archivalError: "ARCHIVAL_ERROR"
        }
    }

    /// Why the rest of the media is missing when the media itself led to the error.
    var gapReason: GapReason {
        switch self {
        case .streamReadError: .disconnect
        case .maxFragmentSizeReached, .maxFragmentDurationReached, .maxConnectionDurationReached,
            .fragmentMetadataLimitReached, .moreThanAllowedTracksFound:
            .limit
        case .fragmentTimecodeLesserThanPrevious, .moreThanOneTrackFound, .invalidMKVData,
            .invalidProducerTimestamp, .trackNumberMismatch, .framesMissingForTrack,
            .streamNotActive:
            .refused
        case .internalError, .archivalError: .ioError
        }
    }
}

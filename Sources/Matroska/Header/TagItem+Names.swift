extension TagItem {
    /// Our own tag with the sample table of a fragment.
    package static let samplesName = "KINELOG_SAMPLES"

    /// Said by the producer: the fragment is complete (KVS 2.4).
    package static let endOfFragmentName = "AWS_KINESISVIDEO_END_OF_FRAGMENT"

    /// Added by the server before a fragment (KVS 3.3).
    package static let fragmentNumberName = "AWS_KINESISVIDEO_FRAGMENT_NUMBER"
    /// Added by the server before a fragment: seconds with three decimals (KVS 3.3).
    package static let serverTimestampName = "AWS_KINESISVIDEO_SERVER_TIMESTAMP"
    /// Added by the server before a fragment: seconds with three decimals (KVS 3.3).
    package static let producerTimestampName = "AWS_KINESISVIDEO_PRODUCER_TIMESTAMP"
    /// Added by the server after a fragment: distance to the newest one (KVS 3.3).
    package static let millisBehindNowName = "AWS_KINESISVIDEO_MILLIS_BEHIND_NOW"
    /// Added by the server after a fragment: where to go on (KVS 3.3).
    package static let continuationTokenName = "AWS_KINESISVIDEO_CONTINUATION_TOKEN"
    /// Added by the server in place of a fragment (KVS 3.4).
    package static let errorIDName = "AWS_KINESISVIDEO_ERROR_ID"
    /// Added by the server in place of a fragment (KVS 3.4).
    package static let errorCodeName = "AWS_KINESISVIDEO_ERROR_CODE"

    /// Whether only the server may write a tag of that name, so that one sent by a producer must
    /// not be echoed (KVS 2.5).
    package var isReservedForServer: Bool {
        switch name {
        case Self.samplesName, Self.fragmentNumberName, Self.serverTimestampName,
            Self.producerTimestampName, Self.millisBehindNowName, Self.continuationTokenName,
            Self.errorIDName, Self.errorCodeName, "AWS_KINESISVIDEO_EXCEPTION_ERROR_CODE",
            "AWS_KINESISVIDEO_EXCEPTION_MESSAGE":
            true
        default: false
        }
    }
}

package import FFmpegMedia
package import MediaModel

/// What a producer says before the first byte of its body.
package struct PushRequest: Sendable {
    /// The producer's address, for `events.log`.
    package var peer: String

    /// The protocol's name in `events.log`.
    package var protocolName = "http"

    /// Capture time of the first sample (`?startTimestamp=`); `nil` estimates it from arrival.
    package var startTimestamp: Timestamp?

    /// What the media type says the body is; `nil` leaves it to the body's first bytes, which decide
    /// in any case where they are a signature.
    package var format: InputFormat?

    /// Whether somebody reads ``PushSession/events``; without, nothing is kept for that.
    package var wantsEvents = true

    /// A request from an address.
    package init(peer: String, startTimestamp: Timestamp? = nil, format: InputFormat? = nil) {
        self.peer = peer
        self.startTimestamp = startTimestamp
        self.format = format
    }
}

/// What one push may use.
package struct PushLimits: Sendable {
    /// How long no byte may arrive, in milliseconds.
    package var idleMs: Int64 = 30_000

    /// Bytes of the body that wait for the demuxer before the socket is no longer read.
    package var pipeBytes = 256 * 1024

    /// Tracks.
    package var trackCountMax = 8

    /// Bytes of Matroska before its first Cluster.
    package var headerBytesMax = 4 << 20

    /// Samples without any time, at the start, before the media counts as having none.
    package var untimedSamplesMax = 100

    /// Durable fragments that wait for somebody to read ``PushSession/events``; later ones are only
    /// counted.
    package var eventsMax = 8192

    /// Where fragments end; the minimum comes from the stream's settings.
    package var cutter = CutterLimits()

    /// Limits with their defaults.
    package init() {}
}

import Ingest
package import NIOCore

/// What one producer may send, whatever protocol it speaks.
package struct ProducerLimits: Sendable {
    /// Bytes of a fragment.
    ///
    /// A larger group of pictures goes on in a dependent fragment; PutMedia, whose clients cut
    /// themselves, is told 4001.
    package var fragmentBytesMax = 50_000_000

    /// Length of a fragment, likewise; PutMedia is told 4002.
    package var fragmentTimeMax = TimeAmount.seconds(20)

    /// Tracks.
    package var trackCountMax = 8

    /// Bytes of Matroska before its first Cluster.
    package var headerBytesMax = 4 << 20

    /// Limits with their defaults.
    package init() {}

    /// Checks that the log can hold what the limits allow.
    ///
    /// - Throws: ``ConfigurationError`` with what to change.
    func validate() throws(ConfigurationError) {
        guard (1 << 16...1 << 29).contains(fragmentBytesMax) else {
            throw ConfigurationError("A fragment's largest size lies outside 64KiB to 512MiB.")
        }
        // Block offsets of a Cluster reach 32.767 s (RFC 9559, 10.1).
        guard (TimeAmount.milliseconds(100)...TimeAmount.seconds(32)).contains(fragmentTimeMax)
        else {
            throw ConfigurationError("A fragment's longest time lies outside 100ms to 32s.")
        }
        guard (1...64).contains(trackCountMax) else {
            throw ConfigurationError("The number of tracks lies outside 1 to 64.")
        }
        guard (1 << 10...64 << 20).contains(headerBytesMax) else {
            throw ConfigurationError("A header's largest size lies outside 1KiB to 64MiB.")
        }
    }

    fileprivate var fragmentMsMax: Int64 { fragmentTimeMax.nanoseconds / 1_000_000 }
}

extension ServerConfiguration {
    /// What one native push may use.
    var pushLimits: PushLimits {
        var limits = PushLimits()
        limits.idleMs = pushIdle.nanoseconds / 1_000_000
        limits.trackCountMax = producer.trackCountMax
        limits.headerBytesMax = producer.headerBytesMax
        limits.cutter.maximumBytes = producer.fragmentBytesMax
        limits.cutter.maximumMs = producer.fragmentMsMax
        return limits
    }

    /// What one PutMedia connection may use.
    var putMediaLimits: PutMediaLimits {
        var limits = PutMediaLimits()
        limits.idleMs = pushIdle.nanoseconds / 1_000_000
        limits.idleNoticeMs = acknowledgementIdle.nanoseconds / 1_000_000
        limits.trackCountMax = producer.trackCountMax
        limits.headerBytesMax = producer.headerBytesMax
        limits.fragmentBytesMax = producer.fragmentBytesMax
        limits.fragmentMsMax = producer.fragmentMsMax
        return limits
    }
}

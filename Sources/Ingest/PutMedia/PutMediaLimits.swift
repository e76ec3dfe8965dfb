import Matroska

/// What one PutMedia connection may use (KVS 2.6, 2.8).
package struct PutMediaLimits: Sendable {
    /// Bytes of a Cluster's children; above: 4001.
    package var fragmentBytesMax = 50_000_000

    /// Samples of a fragment, which bounds its sample table; above: 4001.
    package var fragmentSamplesMax = 65_536

    /// Elements of a Cluster before its first frame, its Timecode included; above: 4006.
    package var leadingElementsMax = 64

    /// Bytes of a Cluster's elements before its first frame; above: 4006.
    package var leadingBytesMax = 64 << 10

    /// From the Cluster's timecode to a frame, in milliseconds; above: 4002.
    package var fragmentMsMax: Int64 = 20_000

    /// Tracks; above: 4012.
    package var trackCountMax = 8

    /// Bytes before the first Cluster; above: 4006.
    package var headerBytesMax = 4 << 20

    /// Tags of a fragment, its end marker aside; above: 4009.
    package var tagCountMax = 10

    /// Bytes of a tag's name; above: 4009.
    package var tagNameBytesMax = 128

    /// Bytes of a tag's value; above: 4009.
    package var tagValueBytesMax = 256

    /// Bytes of a fragment's Tags elements together; above: 4009.
    package var tagsBytesMax = 64 << 10

    /// How long after the last byte IDLE is sent, and how often, in milliseconds.
    package var idleNoticeMs: Int64 = 5000

    /// How long no byte may arrive before the connection is closed, in milliseconds.
    package var idleMs: Int64 = 30_000

    /// Acknowledgements that wait for a client that does not read; the oldest go first.
    package var acknowledgementsMax = 4096

    /// What counts as a jump of a track's times.
    package var times = TimeLimits()

    /// Limits with their defaults.
    package init() {}

    var matroska: MatroskaLimits {
        var limits = MatroskaLimits()
        limits.trackCount = trackCountMax
        limits.headerBytes = headerBytesMax
        limits.blockBytes = fragmentBytesMax
        limits.tagsBytes = max(tagsBytesMax, 1 << 10)
        return limits
    }
}

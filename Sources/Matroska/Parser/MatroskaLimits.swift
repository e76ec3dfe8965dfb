/// How much of each kind a Matroska document may hold before it is refused.
package struct MatroskaLimits: Equatable, Sendable {
    /// Bytes before the first Cluster.
    package var headerBytes = 4 << 20

    /// Tracks that the header declares.
    package var trackCount = 8

    /// Bytes of one child of a Cluster, in practice of one block.
    package var blockBytes = 50_000_000

    /// Bytes of one Tags element after the first Cluster.
    package var tagsBytes = 1 << 20

    /// Bytes of one CodecPrivate.
    package var codecPrivateBytes = 1 << 20

    /// The limits for what a producer sends.
    package init() {}

    /// The widest limits the format and this code allow, for reading back what was stored under
    /// limits that may have been other than today's.
    package static let stored: MatroskaLimits = {
        var limits = MatroskaLimits()
        limits.headerBytes = 64 << 20
        limits.trackCount = 127
        limits.blockBytes = 1 << 30
        limits.tagsBytes = 64 << 20
        limits.codecPrivateBytes = 64 << 20
        return limits
    }()
}

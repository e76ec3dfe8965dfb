/// What the parser knows of the Cluster it is in.
struct ClusterState {
    /// The first byte after the Cluster; `nil` for an unknown size.
    var end: Int64?

    /// Ticks of TimecodeScale, once known.
    var timecode: UInt64?

    /// Whether any child came yet; only the first may be a CRC-32 that counts.
    var hasChildren = false

    /// What the Cluster's CRC-32 says, and that of the children since.
    var checksum: (stated: UInt32, running: CRC32)?

    init(end: Int64? = nil) {
        self.end = end
    }
}

/// What the parser must know of a track to read its blocks.
struct BlockTrack {
    /// TrackNumber.
    let number: UInt8

    /// Nanoseconds per frame; `nil` when the header does not say.
    let defaultDuration: UInt64?
}

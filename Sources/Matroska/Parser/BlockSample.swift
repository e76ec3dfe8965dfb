/// One frame of a block as the parser finds it.
package struct BlockSample: Equatable, Sendable {
    /// TrackNumber.
    package var track: UInt8

    /// Cluster timecode plus block offset in ticks of TimecodeScale; for a laced frame after the
    /// first, plus the frames before it (RFC 9559, 10.3 and 11).
    package var timecode: Int64

    /// Whether decoding can start here: the flag of a SimpleBlock; in a BlockGroup, that there is
    /// no ReferenceBlock.
    package var isKeyframe: Bool

    /// Where the frame begins, counted from the first byte of the Cluster's child (its id).
    package var offset: Int

    /// The frame's length in bytes; may be zero.
    package var length: Int

    /// How long the frame is shown in ticks, where a BlockDuration says so.
    package var duration: Int64?

    /// A frame from its parts.
    package init(
        track: UInt8,
        timecode: Int64,
        isKeyframe: Bool,
        offset: Int,
        length: Int,
        duration: Int64? = nil
    ) {
        self.track = track
        self.timecode = timecode
        self.isKeyframe = isKeyframe
        self.offset = offset
        self.length = length
        self.duration = duration
    }
}

/// When the frames of a laced block are shown: only the first one's time is written.
struct LaceClock {
    /// Nanoseconds per tick.
    let timecodeScale: UInt64

    /// Nanoseconds per frame, where the track says so.
    let defaultDuration: UInt64?

    /// Ticks of all frames together, where the block says so.
    let blockDuration: Int64?

    let frameCount: Int

    /// Ticks from the first frame to the given one, rounded; zero where nothing is known of the
    /// frames' duration, `nil` where it does not fit 64 bits.
    func ticks(before frame: Int) -> Int64? {
        if let defaultDuration {
            let nanoseconds = UInt128(defaultDuration) * UInt128(frame)
            let scale = UInt128(max(1, timecodeScale))
            return Int64(exactly: (nanoseconds + scale / 2) / scale)
        }
        guard let blockDuration else { return 0 }
        return Int64(exactly: Int128(blockDuration) * Int128(frame) / Int128(frameCount))
    }

    /// The frame's part of the block's duration.
    func duration(of frame: Int) -> Int64? {
        guard let blockDuration else { return nil }
        let end = Int128(blockDuration) * Int128(frame + 1) / Int128(frameCount)
        let start = Int128(blockDuration) * Int128(frame) / Int128(frameCount)
        return Int64(end - start)
    }
}

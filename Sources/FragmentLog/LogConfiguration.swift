package import MediaModel

/// Everything about the log that an operator or a test may set.
package struct LogConfiguration: Sendable {
    /// The data directory; made when missing.
    package var directory: String

    /// The clocks; the machine's own outside tests.
    package var clock: any WallClock = SystemClock()

    /// When a log segment is closed and the next begun.
    package var roll = SegmentRollLimits()

    /// Memory that all open fragments together may take before the largest are spilled, in bytes.
    package var openFragmentBytesMax = 2 << 30

    /// Producer sessions at a time; lowered to what the file descriptors allow.
    package var sessionsMax = 4096

    /// Connections at a time, of producers and readers; lowered to what the file descriptors allow.
    package var connectionsMax = 8192

    /// Threads that append and sync, each one stream's files at a time.
    ///
    /// Sixteen keep up with a thousand appends a second even where a sync takes 10 ms; eight and
    /// twelve then fall behind by seconds, and one `syncfs` for all waits for everybody's data
    /// (`Tools/bench/committer.c`).
    package var commitThreadCount = 16

    /// Threads that read archived media.
    package var readThreadCount = 4

    /// Read descriptors kept open between uses.
    package var readDescriptorsMax = 512

    /// A session that sent nothing for so long loses its open fragment to a newer session, in ms.
    package var silentTakeoverMilliseconds: Int64 = 2000

    /// An older session's fragment that is still open so long after a takeover is ended, in ms.
    ///
    /// No fragment may be longer than 32 s, so one that ends by itself has ended by then.
    package var overlapMillisecondsMax: Int64 = 32_000

    /// Takeovers of a sending session within a minute before newcomers are refused.
    package var takeoversPerMinuteMax = 3

    /// How long newcomers are then refused, in milliseconds.
    package var contentionMilliseconds: Int64 = 60_000

    /// How often retention, the ring and the clock watch look at every stream, in milliseconds.
    package var sweepMilliseconds: Int64 = 10_000

    /// How long retention 0 keeps footage for live readers, in milliseconds.
    package var ringMilliseconds: Int64 = 5 * 60_000

    /// What retention 0 keeps at most, in bytes.
    package var ringBytes: Int64 = 200_000_000

    /// How often the databases are copied, in milliseconds; zero switches copies off.
    package var copyMilliseconds: Int64 = 24 * 3_600_000

    /// Bytes that must be free before a session may begin.
    package var freeBytesMin: Int64 = 32 << 20

    /// Retention of streams made by the native API without saying one, in hours.
    package var defaultRetentionHours = 24

    /// The smallest plausible server clock while no fragment says more: 2020-01-01.
    package var clockFloor = Timestamp(milliseconds: 1_577_836_800_000)

    /// A configuration with every default.
    package init(directory: String) {
        self.directory = directory
    }
}

/// When a log segment ends.
package struct SegmentRollLimits: Sendable {
    /// Bytes of fragments.
    package var bytes: UInt64 = 64 << 20

    /// Server time from the first fragment to the newest, in milliseconds.
    package var milliseconds: Int64 = 10 * 60_000

    /// Producer time from the first fragment to the newest, in milliseconds.
    ///
    /// Lookups by producer time rely on no segment spanning more.
    package var producerSpanMilliseconds: Int64 = 20 * 60_000

    /// Bytes of a log segment of the retention-0 ring, whose whole segments are unlinked.
    package var ringBytes: UInt64 = 16 << 20

    /// Server time of a log segment of that ring, in milliseconds.
    package var ringMilliseconds: Int64 = 30_000

    /// The limits of DESIGN section 3.
    package init() {}
}

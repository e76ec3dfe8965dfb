/// What one demuxer may use.
package struct DemuxerLimits: Equatable, Sendable {
    /// The most tracks that are delivered, 8 by default; one more is an error.
    package var trackCountMax = 8

    /// The most bytes that are read without a sample coming out, 64 MiB by default.
    ///
    /// Bounds the size of a sample and input without end that holds none.
    package var byteCountWithoutSampleMax = 64 << 20

    /// The most samples of fragmented MP4 that libavformat keeps an index of, 40 000 by default.
    ///
    /// A sample takes about 40 bytes there, and a session has 2.5 MB (DESIGN section 8). At the next fragment it is opened anew and forgets them; the samples that come out are the
    /// same.
    package var indexedSampleCountMax = 40_000

    /// The most media time, in microseconds, that libavformat reads to find streams: 100 000 by
    /// default.
    package var analysisMicroseconds: Int64 = 100_000

    /// The most bytes that libavformat reads to find streams, 1 MiB by default.
    package var analysisByteCount = 1 << 20

    /// The most bytes of samples that are read ahead while a track is not ready, 8 MiB by default.
    package var aheadByteCountMax = 8 << 20

    /// The most media time that is read ahead while a track is not ready, in milliseconds, 1000 by
    /// default.
    package var aheadMillisecondsMax: Int64 = 1000

    /// The most streams a container may declare, delivered or not, 64 by default.
    package var streamCountMax = 64

    /// The defaults.
    package init() {}
}

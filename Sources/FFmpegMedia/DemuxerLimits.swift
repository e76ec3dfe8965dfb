/// What one demuxer may use.
package struct DemuxerLimits: Equatable, Sendable {
    /// The most tracks that are delivered, 8 by default; one more is an error.
    package var trackCountMax = 8

    /// The most bytes that are read without a sample coming out, 64 MiB by default.
    ///
    /// Bounds the size of a sample and input without end that holds none.
    package var byteCountWithoutSampleMax = 64 << 20

    /// The most samples of fragmented MP4 that libavformat keeps an index of, 100 000 by default.
    ///
    /// At the next fragment it is opened anew and forgets them; the samples that come out are the
    /// same.
    package var indexedSampleCountMax = 100_000

    /// The most media time, in microseconds, that is read to find out about the tracks.
    ///
    /// `nil` takes the container's default: 500 000 for MPEG-TS, 100 000 for the others.
    package var analysisMicroseconds: Int64?

    /// The most streams a container may declare, delivered or not, 64 by default.
    package var streamCountMax = 64

    /// The defaults.
    package init() {}
}

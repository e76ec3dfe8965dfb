package import FragmentLog
package import MediaModel

/// Where a stream has footage, and why it has none elsewhere.
package struct Timeline: Equatable, Sendable {
    /// A stretch of footage without a gap longer than the resolution.
    package struct Span: Equatable, Sendable {
        /// Where the first fragment begins.
        package var start: Timestamp
        /// Where the last fragment to end ends.
        package var end: Timestamp
        /// How many fragments there are.
        package var fragments: Int
        /// Their bytes as they are served.
        package var bytes: UInt64

        /// A span from its parts.
        package init(start: Timestamp, end: Timestamp, fragments: Int, bytes: UInt64) {
            self.start = start
            self.end = end
            self.fragments = fragments
            self.bytes = bytes
        }
    }

    /// Footage, oldest first, not cut at the ends of the stretch asked for.
    package var spans: [Span]
    /// Stored gaps that touch the stretch, oldest first.
    package var gaps: [Gap]
    /// The longest stretch without footage inside a span, in milliseconds: what was asked for, or
    /// more where there would have been too many spans.
    package var resolutionMilliseconds: Int64

    /// The finest resolution: clocks and frame durations make smaller gaps between fragments that
    /// follow each other.
    package static let resolutionMillisecondsMin: Int64 = 500

    private static let pageLength = 4096

    /// Looks a stretch of time up; reads the index only, never the media.
    ///
    /// - Parameters:
    ///   - stream: The stream.
    ///   - range: The stretch.
    ///   - clock: The clock that it is on.
    ///   - resolutionMs: Gaps up to this length are not shown between spans; at least 500.
    ///   - limit: The most spans, and the most gaps. Where there are more spans the resolution is
    ///     made coarser until they fit; of the gaps the oldest are given.
    /// - Returns: Spans and gaps.
    /// - Throws: `.gone` when the stream was deleted, `.damaged`, `.ioError`, `.cancelled`.
    package static func load(
        stream: StreamLog,
        range: Range<Timestamp>,
        clock: StreamClock,
        resolutionMs: Int64,
        limit: Int
    ) async throws(PlaybackError) -> Timeline {
        var builder = SpanBuilder(
            resolutionMilliseconds: max(resolutionMs, resolutionMillisecondsMin),
            limit: limit
        )
        do throws(LogError) {
            var query = FragmentQuery(range: range, clock: clock, limit: pageLength)
            repeat {
                if Task.isCancelled { throw LogError(.shuttingDown, "A timeline was cancelled.") }
                let page = try await stream.fragments(query)
                for record in page.fragments {
                    builder.add(
                        from: record.start(on: clock),
                        to: record.end(on: clock),
                        bytes: record.servedLength
                    )
                }
                query.after = page.next
            } while query.after != nil
            let gaps = try await stream.gaps(in: range, clock: clock, limit: limit)
            return Timeline(
                spans: builder.finish(),
                gaps: gaps,
                resolutionMilliseconds: builder.resolutionMilliseconds
            )
        } catch {
            throw PlaybackError(error)
        }
    }
}

package import MediaModel

/// Where a list of fragments in time order goes on.
package struct FragmentPosition: Hashable, Sendable {
    /// The start of the last fragment given, on the list's clock.
    package var start: Timestamp
    /// Its number.
    package var number: FragmentNumber

    /// A position from its parts.
    package init(start: Timestamp, number: FragmentNumber) {
        self.start = start
        self.number = number
    }
}

/// Fragments that overlap a stretch of time.
package struct FragmentQuery: Sendable {
    /// The stretch `[from, to)` on `clock`.
    package var range: Range<Timestamp>
    /// The clock that the stretch is on and that orders the answer.
    package var clock: StreamClock
    /// The most fragments in one page.
    package var limit: Int
    /// Where the page before ended.
    package var after: FragmentPosition?

    /// A query from its parts.
    package init(
        range: Range<Timestamp>,
        clock: StreamClock = .producer,
        limit: Int = 1000,
        after: FragmentPosition? = nil
    ) {
        self.range = range
        self.clock = clock
        self.limit = limit
        self.after = after
    }
}

/// One page of an answer.
package struct FragmentPage: Sendable {
    /// Fragments in order: by producer start and number, or by number for the server's clock.
    package var fragments: [FragmentRecord]
    /// Where the next page begins; `nil` after the last.
    package var next: FragmentPosition?
}

/// A piece of a stored fragment.
package enum FragmentPart: Sendable {
    /// `Tags{KINELOG_SAMPLES}`.
    case samples
    /// The three server tags.
    case serverTags
    /// The producer's tags sent before the Cluster.
    case tagsBefore
    /// The Cluster element.
    case cluster
    /// The producer's tags sent after the Cluster.
    case tagsAfter
    /// From the server tags to the last tag sent after: what GetMedia serves.
    case served
    /// Everything.
    case stored
}

extension FragmentRecord {
    /// Where a part lies in the log segment.
    package func extent(of part: FragmentPart) -> (offset: UInt64, length: UInt64) {
        let serverTags = offset + UInt64(samplesLength)
        let tagsBefore = serverTags + UInt64(serverTagsLength)
        let cluster = tagsBefore + UInt64(tagsBeforeLength)
        let tagsAfter = cluster + clusterLength
        return switch part {
        case .samples: (offset, UInt64(samplesLength))
        case .serverTags: (serverTags, UInt64(serverTagsLength))
        case .tagsBefore: (tagsBefore, UInt64(tagsBeforeLength))
        case .cluster: (cluster, clusterLength)
        case .tagsAfter: (tagsAfter, UInt64(tagsAfterLength))
        case .served: (serverTags, servedLength)
        case .stored: (offset, storedLength)
        }
    }
}

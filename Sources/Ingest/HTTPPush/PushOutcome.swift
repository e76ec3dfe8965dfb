package import FragmentLog
package import MediaModel

/// What became of a push, after all its commits.
package struct PushOutcome: Sendable {
    /// What is stored.
    package var summary: PushSummary

    /// Why the push ended before its media did; `nil` when it was taken whole.
    package var error: IngestError?
}

/// What of a push is stored.
package struct PushSummary: Sendable, Equatable {
    /// Fragments that are durable and complete.
    package var fragmentCount = 0

    /// Their bytes as GetMedia would serve them.
    package var sizeBytes: UInt64 = 0

    /// The number of the last of them.
    package var lastFragment: FragmentNumber?

    /// What of the media is missing, and why; the first thousand.
    package var gaps: [Gap] = []

    /// Durable fragments for which no event was delivered, because nobody read them.
    package var undeliveredEventCount = 0

    /// Nothing stored yet.
    package init() {}
}

/// What happens while a push goes on.
package enum PushEvent: Sendable {
    /// A fragment is durable at the stream's level.
    case persisted(FragmentRecord)
}

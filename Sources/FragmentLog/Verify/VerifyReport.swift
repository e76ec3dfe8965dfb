import MediaModel

/// What a check of a data directory covered and found.
package struct VerifyReport: Equatable, Sendable {
    /// How many findings are kept; the others are only counted.
    package static let findingsMax = 10_000

    /// Streams looked at.
    package var streamCount = 0
    /// Log segments looked at.
    package var segmentCount = 0
    /// Fragments parsed and compared with their checksums.
    package var fragmentCount: UInt64 = 0
    /// Bytes of log segments read.
    package var byteCount: UInt64 = 0
    /// Events read from the streams' `events.log`.
    package var eventCount: UInt64 = 0
    /// Gaps among them.
    package var gapCount: UInt64 = 0
    /// Fragments that lie in deleted ranges, with their bytes or without.
    package var deletedFragmentCount: UInt64 = 0

    /// What was found, in the order of the walk.
    package private(set) var findings: [VerifyFinding] = []
    /// How much damage was found, what is not kept included.
    package private(set) var damageCount = 0
    /// How many warnings.
    package private(set) var warningCount = 0
    /// How many notices.
    package private(set) var noticeCount = 0

    /// An empty report.
    package init() {}

    /// Whether all is as it should be; notices do not count.
    package var isClean: Bool { damageCount == 0 && warningCount == 0 }

    /// Whether `verify --repair` would change anything.
    package var needsRepair: Bool {
        findings.contains { $0.severity > .notice && $0.remedy == .repair }
    }

    mutating func add(_ finding: VerifyFinding) {
        switch finding.severity {
        case .notice: noticeCount += 1
        case .warning: warningCount += 1
        case .damage: damageCount += 1
        }
        if findings.count < Self.findingsMax { findings.append(finding) }
    }

    mutating func add(_ other: VerifyReport) {
        streamCount += other.streamCount
        segmentCount += other.segmentCount
        fragmentCount += other.fragmentCount
        byteCount += other.byteCount
        eventCount += other.eventCount
        gapCount += other.gapCount
        deletedFragmentCount += other.deletedFragmentCount
        let room = Self.findingsMax - findings.count
        findings += other.findings.prefix(room)
        damageCount += other.damageCount
        warningCount += other.warningCount
        noticeCount += other.noticeCount
    }

    /// Streams with something that a repair can put right.
    var streamsToRepair: Set<StreamID> {
        Set(findings.filter { $0.severity > .notice && $0.remedy == .repair }.compactMap(\.stream))
    }
}

/// How far a check has come.
package struct VerifyProgress: Equatable, Sendable {
    /// Streams done.
    package var streamsDone: Int
    /// Streams in all.
    package var streamCount: Int
    /// The stream at hand, by name where its document could be read.
    package var stream: String
    /// Log segments of it done.
    package var segmentsDone: Int
    /// Log segments of it in all.
    package var segmentCount: Int
    /// Bytes of log segments read so far, of all streams.
    package var byteCount: UInt64
}

/// Told about progress after every log segment, on the thread that does the work.
package typealias VerifyProgressHandler = @Sendable (VerifyProgress) -> Void

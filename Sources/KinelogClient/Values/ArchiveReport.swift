/// What a check of everything stored covered and found.
public struct ArchiveReport: Codable, Hashable, Sendable {
    /// One thing that was found.
    public struct Finding: Codable, Hashable, Sendable {
        /// How bad it is: `notice`, `warning` or `damage`.
        public var severity: String

        /// What kind of thing is concerned, such as `fragment` or `catalog`.
        public var subject: String

        /// The identity of the stream concerned; `nil` for what belongs to none.
        public var stream: String?

        /// The file, relative to the data directory.
        public var file: String

        /// Where in the file, where that can be said.
        public var offset: UInt64?

        /// What was expected and what was found.
        public var message: String

        /// What to do about it, in a sentence.
        public var remedy: String

        /// A finding from its parts.
        public init(
            severity: String,
            subject: String,
            stream: String? = nil,
            file: String,
            offset: UInt64? = nil,
            message: String,
            remedy: String
        ) {
            self.severity = severity
            self.subject = subject
            self.stream = stream
            self.file = file
            self.offset = offset
            self.message = message
            self.remedy = remedy
        }
    }

    /// Whether all is as it should be; notices do not count.
    public var clean: Bool

    /// Streams looked at.
    public var streams: Int64

    /// Log segments looked at.
    public var segments: Int64

    /// Fragments compared with their checksums.
    public var fragments: UInt64

    /// Bytes read.
    public var bytes: UInt64

    /// Gaps among the events read.
    public var gaps: UInt64

    /// How many findings of severity `damage` there are, those not listed included.
    public var damage: Int64

    /// How many of severity `warning`.
    public var warnings: Int64

    /// How many of severity `notice`.
    public var notices: Int64

    /// What was found; the first ten thousand.
    public var findings: [Finding]

    /// A report from its parts.
    public init(
        clean: Bool,
        streams: Int64,
        segments: Int64,
        fragments: UInt64,
        bytes: UInt64,
        gaps: UInt64,
        damage: Int64,
        warnings: Int64,
        notices: Int64,
        findings: [Finding]
    ) {
        self.clean = clean
        self.streams = streams
        self.segments = segments
        self.fragments = fragments
        self.bytes = bytes
        self.gaps = gaps
        self.damage = damage
        self.warnings = warnings
        self.notices = notices
        self.findings = findings
    }
}

package import MediaModel

/// When a fragment counts as persisted.
package enum Durability: Equatable, Sendable {
    /// After a sync of its own or of its batch.
    case sync
    /// After a sync; syncs are batched over so many milliseconds.
    case interval(milliseconds: Int64)
    /// After the write; a power cut may take what the kernel had not written.
    case none
}

/// What a stream is made with, and what of it may be changed later.
package struct StreamSettings: Equatable, Sendable {
    /// Unique among the streams of a server.
    package var name: StreamName
    /// Hours that fragments are kept after their server timestamp; 0 keeps a short ring only.
    package var retentionHours: Int
    /// Bytes of footage kept at most; `nil` for no such limit.
    package var retentionBytes: Int64?
    /// Free text of the form `video/h264,audio/aac`.
    package var mediaType: String?
    /// Stored and returned, otherwise unused.
    package var deviceName: String?
    /// Stored and returned, otherwise unused.
    package var kmsKeyID: String?
    /// At most 50 keys with values.
    package var tags: [String: String]
    /// Fragments are cut at the first sync sample at or after this length, in milliseconds.
    package var minimumFragmentMilliseconds: Int
    /// When a fragment counts as persisted.
    package var durability: Durability

    /// Settings with the native defaults: 24 h, cut at 1 s, durable by sync.
    package init(name: StreamName, retentionHours: Int = 24) {
        self.name = name
        self.retentionHours = retentionHours
        tags = [:]
        minimumFragmentMilliseconds = 1000
        durability = .sync
    }

    /// The longest retention, ten years, in hours.
    package static let retentionHoursMax = 87_600

    /// Checks the bounds.
    ///
    /// - Throws: `.invalidArgument` naming the field, its value and the accepted range.
    package func validate() throws(LogError) {
        func refuse(_ what: String) -> LogError {
            LogError(.invalidArgument, "Stream '\(name)' cannot be made: \(what)")
        }
        guard (0...Self.retentionHoursMax).contains(retentionHours) else {
            throw refuse(
                "a retention of \(retentionHours) h lies outside 0 to \(Self.retentionHoursMax) h."
            )
        }
        if let retentionBytes, retentionBytes < 1 {
            throw refuse(
                "a limit of \(retentionBytes) bytes keeps nothing; leave it out or raise it."
            )
        }
        guard (0...20_000).contains(minimumFragmentMilliseconds) else {
            throw refuse(
                "a minimum fragment of \(minimumFragmentMilliseconds) ms lies outside 0 to 20000 ms."
            )
        }
        guard tags.count <= 50,
            tags.allSatisfy({ (1...128).contains($0.key.count) && $0.value.count <= 256 })
        else {
            throw refuse("at most 50 tags, keys of 1 to 128 and values of up to 256 characters.")
        }
        if case .interval(let milliseconds) = durability, !(1...60_000).contains(milliseconds) {
            throw refuse("a sync interval of \(milliseconds) ms lies outside 1 to 60000 ms.")
        }
    }
}

/// A stretch of footage that nothing may delete.
package struct Hold: Equatable, Sendable {
    /// Unique within the stream.
    package var id: String
    /// Where the stretch begins on the producer's clock.
    package var from: Timestamp
    /// Where it ends.
    package var to: Timestamp
    /// Why it is held, in the operator's words.
    package var reason: String
    /// When the hold was made.
    package var created: Timestamp

    /// A hold from its parts.
    package init(id: String, from: Timestamp, to: Timestamp, reason: String, created: Timestamp) {
        self.id = id
        self.from = from
        self.to = to
        self.reason = reason
        self.created = created
    }
}

/// What is known about a stream.
package struct StreamInfo: Equatable, Sendable {
    /// The settings in force.
    package var settings: StreamSettings
    /// Identity on disk.
    package var id: StreamID
    /// When the stream was made; part of its ARN.
    package var created: Timestamp
    /// The version token of the KVS API, replaced by each change of metadata.
    package var version: String
    /// Whether expiry by age waits for the operator, and why.
    package var retentionPaused: String?
    /// Whether producers are let in.
    package var recording: Bool
    /// Stretches that nothing may delete.
    package var holds: [Hold]

    /// The stream's name.
    package var name: StreamName { settings.name }
}

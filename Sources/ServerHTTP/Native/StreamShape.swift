import FragmentLog
import MediaModel

/// A stream in native answers.
enum StreamShape {
    /// Settings, state and both ends of a stream.
    ///
    /// - Parameters:
    ///   - stream: The stream.
    ///   - oldest: Its oldest fragment, where the answer says it.
    /// - Returns: The object.
    static func json(_ stream: StreamLog, oldest: FragmentRecord? = nil) -> JSONValue {
        let info = stream.info
        let settings = info.settings
        let (durability, interval): (String, Int64?) =
            switch settings.durability {
            case .sync: ("sync", nil)
            case .interval(let milliseconds): ("interval", milliseconds)
            case .none: ("none", nil)
            }
        return .object([
            "name": .string(settings.name.text),
            "id": .string(info.id.description),
            "arn": .string(StreamARN(info).text),
            "createdAt": .string(info.created.description),
            "version": .string(info.version),
            "retentionHours": .integer(Int64(settings.retentionHours)),
            "maxBytes": settings.retentionBytes.map { .integer($0) },
            "retentionPaused": info.retentionPaused.map { .string($0) },
            "recording": .bool(info.recording),
            "mediaType": settings.mediaType.map { .string($0) },
            "deviceName": settings.deviceName.map { .string($0) },
            "kmsKeyId": settings.kmsKeyID.map { .string($0) },
            "minimumFragmentMs": .integer(Int64(settings.minimumFragmentMilliseconds)),
            "durability": .string(durability),
            "durabilityIntervalMs": interval.map { .integer($0) },
            "holds": .integer(Int64(info.holds.count)),
            "tags": .map(settings.tags),
            "oldest": oldest.map(end),
            "newest": stream.head.map(end),
        ])
    }

    /// One end of what a stream holds.
    static func end(_ record: FragmentRecord) -> JSONValue {
        .object([
            "fragmentNumber": .string(record.number.description),
            "producerTimestamp": .string(record.producer.description),
            "serverTimestamp": .string(record.server.description),
            "durationMs": .unsigned(UInt64(record.durationMilliseconds)),
        ])
    }
}

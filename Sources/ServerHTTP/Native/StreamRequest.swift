import FragmentLog
import MediaModel

/// What a client says about a stream to be made.
///
/// Members that are not known are refused.
struct StreamRequest: Decodable {
    private enum Key: String, CaseIterable, CodingKey {
        case name, retentionHours, maxBytes, mediaType, deviceName, kmsKeyId, tags
        case minimumFragmentMs, durability, durabilityIntervalMs
    }

    private var name: String
    private var retentionHours: Int?
    private var maxBytes: Int64?
    private var mediaType: String?
    private var deviceName: String?
    private var kmsKeyId: String?
    private var tags: [String: String]?
    private var minimumFragmentMs: Int?
    private var durability: String?
    private var durabilityIntervalMs: Int64?

    init(from decoder: any Decoder) throws {
        try AnyKey.refuseUnknown(in: decoder, known: Key.allCases.map(\.rawValue))
        let values = try decoder.container(keyedBy: Key.self)
        name = try values.decode(String.self, forKey: .name)
        retentionHours = try values.decodeIfPresent(Int.self, forKey: .retentionHours)
        maxBytes = try values.decodeIfPresent(Int64.self, forKey: .maxBytes)
        mediaType = try values.decodeIfPresent(String.self, forKey: .mediaType)
        deviceName = try values.decodeIfPresent(String.self, forKey: .deviceName)
        kmsKeyId = try values.decodeIfPresent(String.self, forKey: .kmsKeyId)
        tags = try values.decodeIfPresent([String: String].self, forKey: .tags)
        minimumFragmentMs = try values.decodeIfPresent(Int.self, forKey: .minimumFragmentMs)
        durability = try values.decodeIfPresent(String.self, forKey: .durability)
        durabilityIntervalMs = try values.decodeIfPresent(
            Int64.self,
            forKey: .durabilityIntervalMs
        )
    }

    /// The settings that are meant.
    ///
    /// - Throws: `.invalidArgument` naming the accepted form.
    func settings(defaultRetentionHours: Int) throws(APIError) -> StreamSettings {
        guard let name = StreamName(name) else {
            throw APIError(
                .invalidArgument,
                "'\(name.prefix(300))' is no stream name; use \(StreamName.acceptedForm)."
            )
        }
        var settings = StreamSettings(
            name: name,
            retentionHours: retentionHours ?? defaultRetentionHours
        )
        settings.retentionBytes = maxBytes
        settings.mediaType = try text(mediaType, "mediaType", 128)
        settings.deviceName = try text(deviceName, "deviceName", 128)
        settings.kmsKeyID = try text(kmsKeyId, "kmsKeyId", 2048)
        settings.tags = tags ?? [:]
        if let minimumFragmentMs { settings.minimumFragmentMilliseconds = minimumFragmentMs }
        switch (durability, durabilityIntervalMs) {
        case (nil, nil): break
        case ("sync", nil): settings.durability = .sync
        case ("none", nil): settings.durability = .none
        case ("interval", let milliseconds?):
            settings.durability = .interval(milliseconds: milliseconds)
        default:
            throw APIError(
                .invalidArgument,
                "'durability' is sync, none, or interval with 'durabilityIntervalMs' from 1 to 60000."
            )
        }
        return settings
    }

    private func text(_ value: String?, _ name: String, _ countMax: Int) throws(APIError) -> String?
    {
        guard let value else { return nil }
        guard (1...countMax).contains(value.count) else {
            throw APIError(
                .invalidArgument,
                "'\(name)' has \(value.count) characters; 1 to \(countMax) are allowed."
            )
        }
        return value
    }
}

/// What a client changes about a stream.
struct StreamChange: Decodable {
    private enum Key: String, CaseIterable, CodingKey { case resumeRetention }

    let resumeRetention: Bool

    init(from decoder: any Decoder) throws {
        try AnyKey.refuseUnknown(in: decoder, known: Key.allCases.map(\.rawValue))
        let values = try decoder.container(keyedBy: Key.self)
        resumeRetention = try values.decodeIfPresent(Bool.self, forKey: .resumeRetention) ?? false
    }
}

/// Any member's name.
private struct AnyKey: CodingKey {
    let stringValue: String
    let intValue: Int? = nil

    init(stringValue: String) { self.stringValue = stringValue }

    init?(intValue: Int) { nil }

    /// A misspelt member must not silently mean the default.
    static func refuseUnknown(in decoder: any Decoder, known: [String]) throws {
        let members = try decoder.container(keyedBy: AnyKey.self).allKeys.map(\.stringValue)
        for member in members.sorted() where !known.contains(member) {
            throw APIError(
                .invalidArgument,
                "There is no member '\(member.prefix(100))'; known are \(known.joined(separator: ", "))."
            )
        }
    }
}

import FoundationEssentials
import Matroska
import MediaModel
import NIOCore

/// Everything about a stream that must survive, as `stream.json` holds it.
///
/// The file is `{"crc32":N,` newline `"document":{…}}` newline: plain JSON whose checksum covers
/// the bytes of the document, so that a flipped byte is found.
struct StreamDocument: Equatable {
    /// The layout this build writes.
    static let layoutVersion = 1

    /// The largest file that is read.
    static let fileBytesMax = 16 << 20

    var info: StreamInfo
    /// Numbers that may not be shown again, inclusive on both ends.
    var deletedRanges: [ClosedRange<FragmentNumber>] = []
    /// No sequence at or above this was ever given out.
    var sequenceHighWater: UInt64 = 1
    /// No ordinal below this is given out, whatever is left of the stream.
    var ordinalFloor: UInt64 = 0
    /// Who may write the stream's rows.
    var ownerEpoch: UInt64 = 1
    /// Log segments whose sync failed, with the length that is known to be durable.
    var suspectSegments: [FragmentNumber: UInt64] = [:]
    /// Set first of all when the stream is deleted; its files go afterwards.
    var isDeleted = false

    /// Whether a fragment lies in a deleted range.
    func isDeleted(_ number: FragmentNumber) -> Bool {
        !deletedRanges.isEmpty && deletedRanges.contains { $0.contains(number) }
    }

    /// Whether a hold covers any of the stretch, which is on the producer's clock.
    func isHeld(from: Timestamp, to: Timestamp) -> Bool {
        info.holds.contains { $0.from <= to && from <= $0.to }
    }

    // MARK: The file

    private struct File: Codable {
        struct Hold: Codable {
            var id: String
            var fromMs: Int64
            var toMs: Int64
            var why: String
            var createdMs: Int64
        }
        struct Range: Codable {
            var first: String
            var last: String
        }
        struct Suspect: Codable {
            var segment: String
            var durableLength: UInt64
        }
        var layout: Int
        var name: String
        var id: String
        var createdMs: Int64
        var version: String
        var mediaType: String?
        var deviceName: String?
        var kmsKeyId: String?
        var tags: [String: String]
        var retentionHours: Int
        var retentionBytes: Int64?
        var retentionPaused: String?
        var recording: Bool
        var minimumFragmentMs: Int
        var durability: String
        var syncIntervalMs: Int64?
        var holds: [Hold]
        var deletedRanges: [Range]
        var suspectSegments: [Suspect]
        var sequenceHighWater: UInt64
        var ordinalFloor: UInt64
        var ownerEpoch: UInt64
        var deleted: Bool
    }

    /// The content of `stream.json`.
    func encoded() throws(LogError) -> ByteBuffer {
        let settings = info.settings
        let file = File(
            layout: Self.layoutVersion,
            name: info.name.text,
            id: info.id.description,
            createdMs: info.created.milliseconds,
            version: info.version,
            mediaType: settings.mediaType,
            deviceName: settings.deviceName,
            kmsKeyId: settings.kmsKeyID,
            tags: settings.tags,
            retentionHours: settings.retentionHours,
            retentionBytes: settings.retentionBytes,
            retentionPaused: info.retentionPaused,
            recording: info.recording,
            minimumFragmentMs: settings.minimumFragmentMilliseconds,
            durability: settings.durability.name,
            syncIntervalMs: settings.durability.interval,
            holds: info.holds.map {
                File.Hold(
                    id: $0.id,
                    fromMs: $0.from.milliseconds,
                    toMs: $0.to.milliseconds,
                    why: $0.reason,
                    createdMs: $0.created.milliseconds
                )
            },
            deletedRanges: deletedRanges.map {
                File.Range(
                    first: $0.lowerBound.description,
                    last: $0.upperBound.description
                )
            },
            suspectSegments: suspectSegments.sorted { $0.key < $1.key }.map {
                File.Suspect(segment: $0.key.description, durableLength: $0.value)
            },
            sequenceHighWater: sequenceHighWater,
            ordinalFloor: ordinalFloor,
            ownerEpoch: ownerEpoch,
            deleted: isDeleted
        )
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let body: ByteBuffer
        do {
            body = ByteBuffer(bytes: try encoder.encode(file))
        } catch {
            throw LogError(
                .invalidArgument,
                "Stream '\(info.name)' has settings that JSON cannot hold.",
                cause: error
            )
        }
        var buffer = ByteBuffer()
        buffer.writeString("{\"crc32\":\(CRC32.of(body)),\n\"document\":")
        buffer.writeImmutableBuffer(body)
        buffer.writeString("}\n")
        return buffer
    }

    init(info: StreamInfo) {
        self.info = info
    }

    /// Reads the content of `stream.json`.
    ///
    /// - Parameters:
    ///   - content: The bytes of the file.
    ///   - path: For messages.
    ///   - isChecked: Whether bytes that do not match their checksum are refused.
    /// - Throws: `.damaged` when bytes were changed, `.newerVersion` for a later layout.
    init(_ content: ByteBuffer, path: String, isChecked: Bool = true) throws(LogError) {
        func damaged(_ what: String, _ cause: (any Error)? = nil) -> LogError {
            LogError(
                .damaged,
                "\(path) \(what); restore it from a backup, or run 'kinelog verify --repair'.",
                cause: cause
            )
        }
        var rest = content
        guard rest.readString(length: 9) == "{\"crc32\":",
            let end = rest.readableBytesView.firstIndex(of: UInt8(ascii: ",")),
            let crc = rest.readString(length: end - rest.readerIndex).flatMap({ UInt32($0) }),
            rest.readString(length: 13) == ",\n\"document\":",
            let body = rest.readSlice(length: rest.readableBytes - 2),
            rest.readString(length: 2) == "}\n", !isChecked || CRC32.of(body) == crc
        else { throw damaged("does not match its checksum") }
        let file: File
        do {
            file = try JSONDecoder().decode(File.self, from: Data(body.readableBytesView))
        } catch {
            throw damaged("is no stream document", error)
        }
        guard file.layout <= Self.layoutVersion else {
            throw LogError(
                .newerVersion,
                "\(path) has layout \(file.layout), this program knows up to \(Self.layoutVersion); run a newer one."
            )
        }
        guard let name = StreamName(file.name), let id = StreamID(file.id),
            let durability = Durability(name: file.durability, interval: file.syncIntervalMs)
        else { throw damaged("names no valid stream") }
        var settings = StreamSettings(name: name, retentionHours: file.retentionHours)
        settings.retentionBytes = file.retentionBytes
        settings.mediaType = file.mediaType
        settings.deviceName = file.deviceName
        settings.kmsKeyID = file.kmsKeyId
        settings.tags = file.tags
        settings.minimumFragmentMilliseconds = file.minimumFragmentMs
        settings.durability = durability
        info = StreamInfo(
            settings: settings,
            id: id,
            created: Timestamp(milliseconds: file.createdMs),
            version: file.version,
            retentionPaused: file.retentionPaused,
            recording: file.recording,
            holds: file.holds.map {
                Hold(
                    id: $0.id,
                    from: Timestamp(milliseconds: $0.fromMs),
                    to: Timestamp(milliseconds: $0.toMs),
                    reason: $0.why,
                    created: Timestamp(milliseconds: $0.createdMs)
                )
            }
        )
        for range in file.deletedRanges {
            guard let first = FragmentNumber(range.first), let last = FragmentNumber(range.last),
                first <= last
            else { throw damaged("has a deleted range that is none") }
            deletedRanges.append(first...last)
        }
        for suspect in file.suspectSegments {
            guard let segment = FragmentNumber(suspect.segment) else {
                throw damaged("names a log segment that is none")
            }
            suspectSegments[segment] = suspect.durableLength
        }
        sequenceHighWater = file.sequenceHighWater
        ordinalFloor = file.ordinalFloor
        ownerEpoch = file.ownerEpoch
        isDeleted = file.deleted
    }
}

extension Durability {
    fileprivate var name: String {
        switch self {
        case .sync: "sync"
        case .interval: "interval"
        case .none: "none"
        }
    }

    fileprivate var interval: Int64? {
        if case .interval(let milliseconds) = self { return milliseconds }
        return nil
    }

    fileprivate init?(name: String, interval: Int64?) {
        switch (name, interval) {
        case ("sync", nil): self = .sync
        case ("interval", let milliseconds?): self = .interval(milliseconds: milliseconds)
        case ("none", nil): self = .none
        default: return nil
        }
    }
}

extension StreamDocument {
    /// Whether an intact index record proves that its fragment was synced.
    var syncsFragments: Bool {
        info.settings.durability != .none && info.settings.retentionHours > 0
    }
}

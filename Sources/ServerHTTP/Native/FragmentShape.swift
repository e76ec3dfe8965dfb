import FragmentLog
import Matroska
import MediaModel

/// The JSON shapes of DESIGN 7.2 around fragments and gaps.
enum FragmentShape {
    /// One fragment.
    static func json(_ record: FragmentRecord, tags: [String: String]) -> JSONValue {
        .object(members(record, tags: tags))
    }

    /// The members of a fragment, for objects that have more.
    static func members(_ record: FragmentRecord, tags: [String: String]) -> [JSONValue.Member] {
        [
            JSONValue.Member("fragmentNumber", .string(record.number.description)),
            JSONValue.Member("producerTimestamp", .string(record.producer.description)),
            JSONValue.Member("serverTimestamp", .string(record.server.description)),
            JSONValue.Member("durationMs", .unsigned(UInt64(record.durationMilliseconds))),
            JSONValue.Member("sizeBytes", .unsigned(record.servedLength)),
            JSONValue.Member("flags", .array(record.flags.names.map { .string($0) })),
            JSONValue.Member("tags", .map(tags)),
        ]
    }

    /// The producer's tags of a fragment; of equal names the last.
    ///
    /// What only protocols need is left out: the marker of a fragment's end, and names that belong
    /// to the server. The media itself is not read for it.
    static func tags(
        of record: FragmentRecord,
        in stream: StreamLog
    ) async throws(APIError)
        -> [String: String]
    {
        guard record.tagsBeforeLength > 0 || record.tagsAfterLength > 0 else { return [:] }
        var tags: [String: String] = [:]
        do {
            for part in [FragmentPart.tagsBefore, .tagsAfter] {
                for item in try TagItem.items(
                    in: try await stream.read(record, part, isChecked: false)
                )
                where !item.isReservedForServer && item.name != TagItem.endOfFragmentName {
                    tags[item.name] = item.value
                }
            }
        } catch let error as LogError {
            throw APIError(error)
        } catch {
            throw APIError(
                .damaged,
                "The tags of fragment \(record.number) cannot be read; run 'kinelog verify'.",
                cause: error
            )
        }
        return tags
    }

    /// One gap, as in `events.log` (DESIGN section 3).
    static func json(_ gap: Gap) -> JSONValue {
        .object([
            "fromMs": .integer(gap.start.milliseconds), "toMs": .integer(gap.end.milliseconds),
            "clock": .string(gap.clock.rawValue), "reason": .string(gap.reason.rawValue),
            "session": gap.session == 0 ? nil : .unsigned(gap.session),
            "afterNumber": gap.after.map { .string($0.description) },
            "samples": .unsigned(gap.sampleCount), "bytes": .unsigned(gap.byteCount),
        ])
    }
}

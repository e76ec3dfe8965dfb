import FoundationEssentials
import MediaModel

/// A time in a KVS request: a number of seconds since 1970, or ISO 8601 text (KVS 1.2).
struct KVSTimestamp: Decodable, Sendable, Equatable {
    let timestamp: Timestamp

    /// Seconds that any calendar has a date for.
    private static let secondsMax = 253_402_300_799.0

    init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if let seconds = try? value.decode(Double.self) {
            guard seconds.isFinite, seconds >= 0, seconds <= Self.secondsMax else {
                throw DecodingError.dataCorruptedError(
                    in: value,
                    debugDescription: "seconds out of range"
                )
            }
            timestamp = Timestamp(milliseconds: Int64((seconds * 1000).rounded()))
        } else {
            let text = try value.decode(String.self)
            guard let instant = Timestamp(rfc3339: text) else {
                throw DecodingError.dataCorruptedError(
                    in: value,
                    debugDescription: "no ISO 8601 time"
                )
            }
            timestamp = instant
        }
    }
}

import FragmentLog
import Matroska
import MediaModel

/// A fragment's sample table as JSON.
enum SampleShape {
    /// Tracks with their time bases, and every sample with its place in the Cluster's data and its
    /// times in ticks of its track.
    static func json(_ table: SampleTable, of record: FragmentRecord) -> JSONValue {
        .object([
            "fragmentNumber": .string(record.number.description),
            "ordinal": .unsigned(table.ordinal),
            "session": .unsigned(table.session),
            "producerTimestamp": .string(table.producerTimestamp.description),
            "serverTimestamp": .string(table.serverTimestamp.description),
            "durationMs": .unsigned(table.durationMilliseconds),
            "clockSource": .string(table.clockSource.name),
            "clockErrorMs": .unsigned(table.clockErrorMilliseconds),
            "mediaTimeMs": .integer(table.mediaTimeMilliseconds),
            "flags": .array(table.flags.names.map { .string($0) }),
            "tracks": .array(table.tracks.map(track)),
            "samples": .array(table.samples.map(sample)),
        ])
    }

    private static func track(_ track: SampleTrack) -> JSONValue {
        .object([
            "number": .unsigned(UInt64(track.number)),
            "timeBase": .array([
                .integer(Int64(track.timeBase.numerator)),
                .integer(Int64(track.timeBase.denominator)),
            ]),
            "codecSet": .unsigned(UInt64(track.codecSet)),
        ])
    }

    private static func sample(_ sample: SampleEntry) -> JSONValue {
        .object([
            "track": .unsigned(UInt64(sample.track)), "offset": .unsigned(UInt64(sample.offset)),
            "size": .unsigned(UInt64(sample.size)), "dts": .integer(sample.dts),
            "pts": .integer(sample.pts), "sync": .bool(sample.isSync),
        ])
    }
}

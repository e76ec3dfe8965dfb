import KinelogClient
import MediaModel

/// Streams as people read them.
enum StreamText {
    /// One stream, a line for each thing that is said about it.
    static func lines(of stream: StreamDescription) -> [String] {
        var rows: [(String, String?)] = [
            ("name", stream.name),
            ("id", stream.id),
            ("created", stream.createdAt),
            ("retention", "\(stream.retentionHours) h"),
            ("bytes at most", stream.maxBytes.map { HumanText.bytes($0) }),
            ("expiry paused", stream.retentionPaused),
            ("recording", stream.recording == false ? "off" : nil),
            ("media type", stream.mediaType),
            ("durable by", durability(of: stream)),
            ("holds", stream.holds.flatMap { $0 > 0 ? String($0) : nil }),
            ("oldest", stream.oldest.map(text)),
            ("newest", stream.newest.map(text)),
        ]
        for (key, value) in (stream.tags ?? [:]).sorted(by: { $0.key < $1.key }) {
            rows.append(("tag", "\(key)=\(value)"))
        }
        let width = rows.map(\.0.count).max() ?? 0
        return rows.compactMap { name, value in
            value.map { name + String(repeating: " ", count: width - name.count) + "  " + $0 }
        }
    }

    /// Several streams, a row for each.
    static func table(of streams: [StreamDescription]) -> TextTable {
        var table = TextTable([
            "NAME": .left, "RETENTION": .right, "NEWEST FRAGMENT": .left, "NOTES": .left,
        ])
        for stream in streams {
            table.add(
                stream.name,
                "\(stream.retentionHours) h",
                stream.newest.map(end) ?? "none",
                notes(on: stream)
            )
        }
        return table
    }

    private static func durability(of stream: StreamDescription) -> String? {
        guard let interval = stream.durabilityIntervalMs else { return stream.durability }
        return stream.durability.map { "\($0) of \(interval) ms" }
    }

    private static func text(_ end: StreamEnd) -> String {
        let length = HumanText.duration(milliseconds: end.durationMs)
        return "\(end.producerTimestamp), \(length), fragment \(end.fragmentNumber)"
    }

    /// When a fragment ends.
    private static func end(_ fragment: StreamEnd) -> String {
        Timestamp(rfc3339: fragment.producerTimestamp)?
            .advanced(byMilliseconds: fragment.durationMs).description
            ?? fragment.producerTimestamp
    }

    private static func notes(on stream: StreamDescription) -> String {
        var notes: [String] = []
        if let reason = stream.retentionPaused { notes.append("expiry paused: \(reason)") }
        if stream.recording == false { notes.append("recording off") }
        if let holds = stream.holds, holds > 0 { notes.append("\(holds) on hold") }
        return notes.joined(separator: ", ")
    }
}

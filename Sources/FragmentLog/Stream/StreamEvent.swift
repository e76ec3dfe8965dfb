import FoundationEssentials
import Matroska
import MediaModel
import NIOCore

/// One line of a stream's `events.log`.
enum StreamEvent: Equatable {
    /// A producer session that is about to send its first fragment.
    case sessionOpen(
        session: UInt64,
        protocolName: String,
        peer: String,
        clock: ClockSource,
        at: Timestamp
    )
    /// The end of a session, however it came.
    case sessionEnd(session: UInt64, reason: String, at: Timestamp)
    /// A stretch without footage.
    case gap(Gap)
}

/// The bytes of `events.log`: `[u32 length][u32 CRC-32][JSON]`, little-endian, appended only.
enum EventsFile {
    /// A longer event is not one of ours.
    static let eventBytesMax = 1 << 20

    private struct Line: Codable {
        var event: String
        var session: UInt64?
        var `protocol`: String?
        var peer: String?
        var clock: String?
        var atMs: Int64?
        var reason: String?
        var fromMs: Int64?
        var toMs: Int64?
        var afterNumber: String?
        var samples: UInt64?
        var bytes: UInt64?
    }

    /// The bytes of one event.
    static func encode(_ event: StreamEvent) throws(LogError) -> ByteBuffer {
        var line: Line
        switch event {
        case .sessionOpen(let session, let protocolName, let peer, let clock, let at):
            line = Line(event: "session-open")
            line.session = session
            line.protocol = protocolName
            line.peer = peer
            line.clock = clock.name
            line.atMs = at.milliseconds
        case .sessionEnd(let session, let reason, let at):
            line = Line(event: "session-end")
            line.session = session
            line.reason = reason
            line.atMs = at.milliseconds
        case .gap(let gap):
            line = Line(event: "gap")
            line.session = gap.session
            line.clock = gap.clock.rawValue
            line.reason = gap.reason.rawValue
            line.fromMs = gap.start.milliseconds
            line.toMs = gap.end.milliseconds
            line.afterNumber = gap.after?.description
            line.samples = gap.sampleCount
            line.bytes = gap.byteCount
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let body: ByteBuffer
        do {
            body = ByteBuffer(bytes: try encoder.encode(line))
        } catch {
            throw LogError(.invalidArgument, "An event cannot be written as JSON.", cause: error)
        }
        var buffer = ByteBuffer()
        buffer.writeInteger(UInt32(body.readableBytes), endianness: .little)
        buffer.writeInteger(CRC32.of(body), endianness: .little)
        buffer.writeImmutableBuffer(body)
        return buffer
    }

    /// Reads events up to the first byte that is not part of an intact one.
    ///
    /// - Returns: The events and how many bytes they take.
    static func decode(_ bytes: ByteBuffer) -> (events: [StreamEvent], length: Int) {
        var rest = bytes
        var events: [StreamEvent] = []
        var length = 0
        let decoder = JSONDecoder()
        while let size = rest.readInteger(endianness: .little, as: UInt32.self),
            let crc = rest.readInteger(endianness: .little, as: UInt32.self),
            size <= eventBytesMax, let body = rest.readSlice(length: Int(size)),
            CRC32.of(body) == crc,
            let line = try? decoder.decode(Line.self, from: Data(body.readableBytesView)),
            let event = event(line)
        {
            events.append(event)
            length += 8 + Int(size)
        }
        return (events, length)
    }

    private static func event(_ line: Line) -> StreamEvent? {
        switch line.event {
        case "session-open":
            guard let session = line.session, let protocolName = line.protocol,
                let peer = line.peer, let at = line.atMs,
                let clock = ClockSource.allCases.first(where: { $0.name == line.clock })
            else { return nil }
            return .sessionOpen(
                session: session,
                protocolName: protocolName,
                peer: peer,
                clock: clock,
                at: Timestamp(milliseconds: at)
            )
        case "session-end":
            guard let session = line.session, let reason = line.reason, let at = line.atMs else {
                return nil
            }
            return .sessionEnd(
                session: session,
                reason: reason,
                at: Timestamp(milliseconds: at)
            )
        case "gap":
            guard let session = line.session, let from = line.fromMs, let to = line.toMs,
                let clock = line.clock.flatMap(StreamClock.init(rawValue:)),
                let reason = line.reason.flatMap(GapReason.init(rawValue:))
            else { return nil }
            return .gap(
                Gap(
                    start: Timestamp(milliseconds: from),
                    end: Timestamp(milliseconds: to),
                    clock: clock,
                    reason: reason,
                    session: session,
                    after: line.afterNumber.flatMap { FragmentNumber($0) },
                    sampleCount: line.samples ?? 0,
                    byteCount: line.bytes ?? 0
                )
            )
        default:
            return nil
        }
    }
}

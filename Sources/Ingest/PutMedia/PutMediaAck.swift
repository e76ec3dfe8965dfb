package import MediaModel
package import NIOCore

/// One acknowledgement of a PutMedia connection (KVS 2.6).
package enum PutMediaAck: Equatable, Sendable {
    /// The first frame of a Cluster arrived and the fragment has its number.
    case buffering(timecode: UInt64, FragmentNumber)
    /// The fragment is complete.
    case received(timecode: UInt64, FragmentNumber)
    /// The fragment is durable.
    case persisted(timecode: UInt64, FragmentNumber)
    /// The connection ends; the fragment concerned, where there is one.
    case error(PutMediaFailure, timecode: UInt64?, FragmentNumber?)
    /// Nothing arrived for a while.
    case idle

    /// The acknowledgement as it goes on the wire: one flat JSON object and a newline.
    ///
    /// To be sent as one HTTP chunk; far below the 1 024 bytes that clients take.
    package var json: ByteBuffer {
        var bytes = ByteBuffer()
        bytes.reserveCapacity(160)
        bytes.writeString("{\"EventType\":\"\(eventType)\"")
        if let timecode { bytes.writeString(",\"FragmentTimecode\":\(timecode)") }
        if let number { bytes.writeString(",\"FragmentNumber\":\"\(number)\"") }
        if case .error(let failure, _, _) = self {
            bytes.writeString(",\"ErrorCode\":\"\(failure.codeText)\"")
            bytes.writeString(",\"ErrorId\":\(failure.rawValue)")
        }
        bytes.writeString("}\n")
        return bytes
    }

    private var eventType: String {
        switch self {
        case .buffering: "BUFFERING"
        case .received: "RECEIVED"
        case .persisted: "PERSISTED"
        case .error: "ERROR"
        case .idle: "IDLE"
        }
    }

    /// The Cluster timecode as received, in ticks of its TimecodeScale.
    private var timecode: UInt64? {
        switch self {
        case .buffering(let timecode, _), .received(let timecode, _), .persisted(let timecode, _):
            timecode
        case .error(_, let timecode, _): timecode
        case .idle: nil
        }
    }

    private var number: FragmentNumber? {
        switch self {
        case .buffering(_, let number), .received(_, let number), .persisted(_, let number): number
        case .error(_, _, let number): number
        case .idle: nil
        }
    }
}

package import MediaModel

/// What the headers of a PutMedia request say (KVS 2.1).
package struct PutMediaRequest: Equatable, Sendable {
    /// How Cluster timecodes become producer timestamps.
    package enum Timecodes: Equatable, Sendable {
        /// They are milliseconds since 1970.
        case absolute
        /// They count from a start time.
        case relative(start: Timestamp)
    }

    /// How Cluster timecodes become producer timestamps.
    package var timecodes: Timecodes

    /// Whether BUFFERING, RECEIVED, PERSISTED and IDLE are wanted; ERROR always is.
    package var wantsAcknowledgements: Bool

    /// The producer's address, for `events.log`.
    package var peer: String

    /// A request from its parts.
    package init(timecodes: Timecodes, wantsAcknowledgements: Bool = true, peer: String) {
        self.timecodes = timecodes
        self.wantsAcknowledgements = wantsAcknowledgements
        self.peer = peer
    }

    /// Reads the headers.
    ///
    /// - Parameters:
    ///   - timecodeType: `x-amzn-fragment-timecode-type`.
    ///   - startTimestamp: `x-amzn-producer-start-timestamp`.
    ///   - acknowledgementRequired: `x-amzn-fragment-acknowledgment-required`; absent means yes.
    ///   - userAgent: `user-agent`; some clients write the start timestamp in a way of their own.
    ///   - peer: The producer's address.
    /// - Throws: `.invalidArgument`, as the operation answers InvalidArgumentException.
    package init(
        timecodeType: String?,
        startTimestamp: String?,
        acknowledgementRequired: String?,
        userAgent: String?,
        peer: String
    ) throws(IngestError) {
        var start: Timestamp?
        if let startTimestamp {
            start = Self.startTimestamp(startTimestamp, userAgent: userAgent ?? "")
            if start == nil {
                throw IngestError(
                    .invalidArgument,
                    "x-amzn-producer-start-timestamp is '\(startTimestamp.prefix(40))'; send seconds since 1970, such as 1711124585.823."
                )
            }
        }
        switch timecodeType {
        case "ABSOLUTE": timecodes = .absolute
        case "RELATIVE":
            guard let start else {
                throw IngestError(
                    .invalidArgument,
                    "x-amzn-producer-start-timestamp is missing; timecodes of the type RELATIVE count from it."
                )
            }
            timecodes = .relative(start: start)
        default:
            let found = timecodeType.map { "is '\($0.prefix(40))'" } ?? "is missing"
            throw IngestError(
                .invalidArgument,
                "x-amzn-fragment-timecode-type \(found); send ABSOLUTE or RELATIVE."
            )
        }
        wantsAcknowledgements = acknowledgementRequired != "0"
        self.peer = peer
    }

    /// Seconds since 1970 as clients write them.
    ///
    /// The C producer SDK prints seconds, a dot and milliseconds without padding: `.5` is five
    /// milliseconds (KVS 12). Every other client means a decimal number.
    static func startTimestamp(_ text: String, userAgent: String) -> Timestamp? {
        let isUnpadded =
            userAgent.hasPrefix("AWS-PRODUCER-SDK-KVS/")
            || userAgent.hasPrefix("AWS-SDK-KVS-CPP-CLIENT/")
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        let isPlain = parts.allSatisfy { part in
            !part.isEmpty && part.utf8.allSatisfy { $0 >= 0x30 && $0 <= 0x39 }
        }
        guard isPlain, (1...2).contains(parts.count) else { return exponentForm(text) }
        guard let seconds = Int64(parts[0]), seconds < Timestamp.endOfTime.milliseconds / 1000
        else {
            return nil
        }
        var milliseconds: Int64 = 0
        if parts.count == 2 {
            if isUnpadded, parts[1].utf8.count <= 3 {
                milliseconds = Int64(parts[1]) ?? 0
            } else {
                let digits = (parts[1] + "000").prefix(3)
                milliseconds = Int64(digits) ?? 0
            }
        }
        return Timestamp(milliseconds: seconds * 1000 + milliseconds)
    }

    /// A number such as `1.711124585823E9`, which is how Java writes a double.
    private static func exponentForm(_ text: String) -> Timestamp? {
        guard text.utf8.count <= 40, text.utf8.allSatisfy({ "0123456789.eE+".utf8.contains($0) }),
            let seconds = Double(text), seconds >= 0
        else { return nil }
        let milliseconds = (seconds * 1000).rounded()
        guard milliseconds < Double(Timestamp.endOfTime.milliseconds) else { return nil }
        return Timestamp(milliseconds: Int64(milliseconds))
    }
}

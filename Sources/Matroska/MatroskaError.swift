/// Why Matroska bytes, or a sample table, could not be read or written.
package struct MatroskaError: Error, Equatable, Sendable {
    /// What kind of failure it is; closed, so that callers can switch on it.
    package enum Code: Sendable, CaseIterable {
        /// Not parsable, forbidden in this place, or a second EBML header, Segment or Tracks
        /// (KVS 4006).
        case invalidData
        /// The bytes end in the middle of an element.
        case truncated
        /// The bytes before the first Cluster exceed ``MatroskaLimits/headerBytes`` (KVS 4006).
        case headerTooLarge
        /// The header declares more than ``MatroskaLimits/trackCount`` tracks (KVS 4012).
        case tooManyTracks
        /// A block belongs to a track that the header does not declare (KVS 4010).
        case trackMismatch
        /// A child of a Cluster exceeds ``MatroskaLimits/blockBytes`` (KVS 4001).
        case blockTooLarge
        /// A Tags element exceeds ``MatroskaLimits/tagsBytes`` (KVS 4009).
        case tagsTooLarge
        /// A CodecPrivate exceeds ``MatroskaLimits/codecPrivateBytes``.
        case codecPrivateTooLarge
        /// A Cluster timecode whose blocks would not fit 64 bits (KVS 4007).
        case timecodeOutOfRange
        /// A CRC-32 does not match the bytes it stands for.
        case checksumMismatch
        /// A sample table that breaks its format or a limit of it.
        case invalidTable
    }

    /// What kind of failure it is.
    package var code: Code

    /// What was attempted, on what, what was found and what to do about it.
    package var message: String

    /// Where the offending element or value begins, counted from the first byte of what was read;
    /// `nil` where no bytes were read.
    package var byteOffset: Int64?

    /// An error from its parts.
    package init(_ code: Code, _ message: String, at byteOffset: Int64? = nil) {
        self.code = code
        self.message = message
        self.byteOffset = byteOffset
    }
}

extension MatroskaError: CustomStringConvertible {
    /// The message with its byte offset.
    package var description: String {
        guard let byteOffset else { return message }
        return "\(message) (byte \(byteOffset))"
    }
}

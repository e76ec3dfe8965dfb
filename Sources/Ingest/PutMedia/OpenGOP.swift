import MediaModel
import NIOCore

/// Whether pictures behind a sync sample may refer to pictures before it.
enum OpenGOP {
    /// Looks at the NAL units of a sync sample as a PutMedia producer sends it.
    ///
    /// - Parameters:
    ///   - payload: NAL units with lengths.
    ///   - track: Its track.
    /// - Returns: `false` for tracks without NAL units or without a readable set-up.
    static func startsHere(_ payload: ByteBuffer, of track: Track?) -> Bool {
        guard let track, let codec = NALCodec(track.codec),
            let record = try? DecoderConfiguration(record: track.codecPrivate.span, codec: codec)
        else { return false }
        var facts = AccessUnitFacts()
        let bytes = payload.readableBytesUInt8Span
        var cursor = LengthPrefixed.Cursor(lengthSize: record.lengthSize)
        while let range = cursor.nextUnit(in: bytes) {
            facts.add(bytes.extracting(range), codec: codec)
        }
        return facts.isOpenRandomAccess || (facts.hasRecoveryPoint && !facts.isInstantRefresh)
    }
}

import Matroska
import MediaModel
import NIOCore

/// Reads what the key frames of one track say, as a PutMedia producer sends them: NAL units with
/// lengths.
struct KeyFrameReader {
    private let codec: NALCodec
    private let lengthSize: Int
    private var track: Track
    private var sets: ParameterSets

    /// The codec set that the newest key frame is decoded with (DESIGN section 3).
    private(set) var codecSet: UInt32

    /// A reader for a track.
    ///
    /// Gives `nil` for tracks without NAL units or without a readable set-up.
    init?(_ track: Track) {
        guard let codec = NALCodec(track.codec),
            let record = try? DecoderConfiguration(record: track.codecPrivate.span, codec: codec)
        else { return nil }
        self.codec = codec
        self.track = track
        lengthSize = record.lengthSize
        sets = record.parameterSets
        codecSet = CodecSet.id(of: track)
    }

    /// Takes the next key frame; parameter sets in it come into force.
    ///
    /// - Returns: Whether pictures behind it may refer to pictures before it.
    mutating func startsOpenGOP(_ payload: ByteBuffer) -> Bool {
        let bytes = payload.readableBytesUInt8Span
        var facts = AccessUnitFacts()
        var found = ParameterSets(codec: codec)
        var cursor = LengthPrefixed.Cursor(lengthSize: lengthSize)
        while let range = cursor.nextUnit(in: bytes) {
            let unit = bytes.extracting(range)
            facts.add(unit, codec: codec)
            // Everything but parameter sets is passed over.
            found.add(unit)
        }
        take(found)
        return facts.isOpenRandomAccess || (facts.hasRecoveryPoint && !facts.isInstantRefresh)
    }

    private mutating func take(_ found: ParameterSets) {
        let updated = sets.updated(with: found)
        guard updated != sets else { return }
        sets = updated
        guard let record = DecoderConfiguration.record(for: updated) else { return }
        track.codecPrivate = record
        if let facts = updated.pictureFacts {
            track.width = facts.width
            track.height = facts.height
        }
        codecSet = CodecSet.id(of: track)
    }
}

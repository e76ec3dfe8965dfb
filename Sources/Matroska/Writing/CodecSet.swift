package import MediaModel
import NIOCore

/// Tells sets of codec parameters apart.
package enum CodecSet {
    /// An id that is equal for tracks a decoder can play on without being set up anew.
    ///
    /// CRC-32 over, each integer little-endian in four bytes: the length of CodecID and its UTF-8
    /// bytes, the length of CodecPrivate and its bytes, kind, width, height, sample rate, channel
    /// count, bit depth. Number, time base and default duration do not count.
    ///
    /// - Parameter track: The track.
    /// - Returns: What the sample table keeps per track. Never changes for a given track: it is
    ///   stored.
    package static func id(of track: Track) -> UInt32 {
        var bytes = ByteBuffer()
        let codecID = track.codecID.utf8
        bytes.writeInteger(UInt32(clamping: codecID.count), endianness: .little)
        bytes.writeBytes(codecID)
        bytes.writeInteger(UInt32(clamping: track.codecPrivate.count), endianness: .little)
        bytes.writeBytes(track.codecPrivate)
        for value in [
            UInt32(track.kind.rawValue), track.width, track.height, track.sampleRate,
            track.channelCount, track.bitDepth,
        ] {
            bytes.writeInteger(value, endianness: .little)
        }
        return CRC32.of(bytes)
    }
}

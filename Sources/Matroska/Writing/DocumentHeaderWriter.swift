package import MediaModel
package import NIOCore

/// Writes our own document headers: for every source but PutMedia, and for native output.
package enum DocumentHeaderWriter {
    /// EBML header, Segment of unknown size, Info and Tracks (RFC 9559, 4 and 5.1).
    ///
    /// Deterministic: equal arguments give equal bytes, in every version of this program that
    /// does not say otherwise in its changes.
    ///
    /// - Parameters:
    ///   - tracks: At least one, of different numbers. Times in the document are milliseconds
    ///     whatever the tracks' time bases.
    ///   - dateUTC: The instant that timecode zero stands for; left out when it lies outside the
    ///     years 1708 to 2293.
    ///   - title: Info's Title.
    /// - Returns: The bytes before the first Cluster.
    package static func encode(
        _ tracks: [Track],
        dateUTC: Timestamp? = nil,
        title: String? = nil
    ) -> ByteBuffer {
        var bytes = ByteBuffer()
        bytes.writeEBMLHeader()
        bytes.writeSegmentHead()
        bytes.writeMaster(.info) { info in
            info.writeElement(.timecodeScale, unsigned: 1_000_000)
            if let ticks = dateUTC.flatMap(InfoElement.dateTicks) {
                info.writeElement(.dateUTC, unsigned: UInt64(bitPattern: ticks), width: 8)
            }
            if let title { info.writeElement(.title, text: title) }
            info.writeElement(.muxingApp, text: "Kinelog")
            info.writeElement(.writingApp, text: "Kinelog")
        }
        bytes.writeMaster(.tracks) { body in
            for track in tracks { write(track, to: &body) }
        }
        return bytes
    }

    private static func write(_ track: Track, to bytes: inout ByteBuffer) {
        bytes.writeMaster(.trackEntry) { entry in
            entry.writeElement(.trackNumber, unsigned: UInt64(track.number))
            entry.writeElement(.trackUID, unsigned: uid(of: track), width: 8)
            entry.writeElement(.trackType, unsigned: UInt64(track.kind.rawValue))
            entry.writeElement(.flagLacing, unsigned: 0)
            // Its default would be "eng" (RFC 9559, 5.1.4.1.19).
            entry.writeElement(.language, text: "und")
            entry.writeElement(.codecID, text: track.codecID)
            if !track.codecPrivate.isEmpty {
                entry.writeElement(.codecPrivate, bytes: ByteBuffer(bytes: track.codecPrivate))
            }
            if let duration = nanoseconds(track.defaultDuration, track.timeBase) {
                entry.writeElement(.defaultDuration, unsigned: duration)
            }
            if let preSkip = track.opusPreSkip {
                // Readers subtract it from the times of blocks (RFC 9559, 5.1.4.1.25).
                let delay = (UInt64(preSkip) * 1_000_000_000 + 24_000) / 48_000
                entry.writeElement(.codecDelay, unsigned: delay)
                // What every Opus decoder needs (RFC 7845, 4.6).
                entry.writeElement(.seekPreRoll, unsigned: 80_000_000)
            }
            writeMedia(of: track, to: &entry)
        }
    }

    private static func writeMedia(of track: Track, to entry: inout ByteBuffer) {
        if track.kind == .video, track.width > 0, track.height > 0 {
            entry.writeMaster(.video) { video in
                video.writeElement(.pixelWidth, unsigned: UInt64(track.width))
                video.writeElement(.pixelHeight, unsigned: UInt64(track.height))
            }
        }
        if track.kind == .audio {
            entry.writeMaster(.audio) { audio in
                if track.sampleRate > 0 {
                    audio.writeElement(.samplingFrequency, float: Double(track.sampleRate))
                }
                if track.channelCount > 0 {
                    audio.writeElement(.channels, unsigned: UInt64(track.channelCount))
                }
                if track.bitDepth > 0 {
                    audio.writeElement(.bitDepth, unsigned: UInt64(track.bitDepth))
                }
            }
        }
    }

    /// Ticks as nanoseconds, rounded; `nil` for none and for what does not fit.
    private static func nanoseconds(_ ticks: UInt32, _ timeBase: TimeBase) -> UInt64? {
        guard ticks > 0, let nanosecond = TimeBase(numerator: 1, denominator: 1_000_000_000),
            let duration = timeBase.rescale(Int64(ticks), to: nanosecond), duration > 0
        else { return nil }
        return UInt64(duration)
    }

    /// A TrackUID that depends on nothing but the track's number and codec parameters; never zero.
    private static func uid(of track: Track) -> UInt64 {
        UInt64(CodecSet.id(of: track)) << 32 | 0x4B4C_0000 | UInt64(track.number)
    }
}

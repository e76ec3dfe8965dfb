import MediaModel
import NIOCore
import TestSupport

/// The samples of an MP4 file as they lie in it, by way of the ffmpeg command line.
struct SourceSamples: Sendable {
    var video: [ByteBuffer]
    var audio: [ByteBuffer]

    /// The samples of a file of `SampleMedia`.
    static func read(_ media: SampleMedia) async throws -> SourceSamples {
        async let video = samples(media.path, "v:0")
        async let audio = samples(media.path, "a:0")
        return try await SourceSamples(video: video, audio: audio)
    }

    private static func samples(_ path: String, _ stream: String) async throws -> [ByteBuffer] {
        var data = try await Program.succeed([
            "ffmpeg", "-v", "error", "-nostdin", "-i", path, "-map", "0:\(stream)", "-c", "copy",
            "-f", "data", "-",
        ])
        let sizes = try await Program.succeed([
            "ffprobe", "-v", "error", "-select_streams", stream, "-show_entries", "packet=size",
            "-of", "csv=p=0", path,
        ])
        let samples = String(buffer: sizes).split(separator: "\n").compactMap { line in
            Int(line.prefix { $0.isNumber }).flatMap { data.readSlice(length: $0) }
        }
        guard data.readableBytes == 0 else { throw SourceError(description: "\(path): sizes") }
        return samples
    }

    /// The `avcC` and the AudioSpecificConfig of a file of `SampleMedia`.
    static func setUps(of media: SampleMedia) async throws -> (video: [UInt8], audio: [UInt8]) {
        async let video = setUp(media.path, "v:0")
        async let audio = setUp(media.path, "a:0")
        return try await (video, audio)
    }

    private static func setUp(_ path: String, _ stream: String) async throws -> [UInt8] {
        let dump = try await Program.succeed([
            "ffprobe", "-v", "error", "-select_streams", stream, "-show_entries",
            "stream=extradata", "-show_data", "-of", "default=nk=1:nw=1", path,
        ])
        // Lines such as "00000000: 0164 001f  .d..".
        let lines = String(buffer: dump).split(separator: "\n").filter { $0.hasPrefix("0") }
        return lines.flatMap { line in
            [UInt8](hex: String(line.dropFirst(10).prefix(40)))
        }
    }
}

struct SourceError: Error {
    let description: String
}

extension ByteBuffer {
    /// The NAL units of a sample with 4-byte lengths, without those that are not stored.
    func stored(withoutSets: Bool) -> [[UInt8]] {
        let bytes = Array(buffer: self)
        var cursor = LengthPrefixed.Cursor(lengthSize: 4)
        var units: [[UInt8]] = []
        while let range = cursor.nextUnit(in: bytes.span) {
            switch NALCodec.h264.kind(firstByte: bytes[range.lowerBound]) {
            case .accessUnitDelimiter, .filler: continue
            case .sequenceParameters, .pictureParameters: if withoutSets { continue }
            default: break
            }
            units.append(Array(bytes[range]))
        }
        return units
    }

    /// Whether there are parameter sets in the sample.
    var hasSets: Bool { stored(withoutSets: true).count < stored(withoutSets: false).count }
}

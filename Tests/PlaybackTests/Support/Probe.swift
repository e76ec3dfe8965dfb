import Matroska
import MediaModel
import NIOCore
import TestSupport

/// What an independent reader finds in a file.
struct Probe: Sendable {
    struct Packet: Equatable, Sendable {
        var track: Int
        var milliseconds: Int64
        var isKey: Bool
        var payload: String
    }

    var packets: [Packet]
    /// What it complains about.
    var complaints: String

    /// Runs ffprobe.
    init(_ file: ByteBuffer) async throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("probe.mkv")
        try write(file, toFile: path)
        let result = try await Program.run([
            "ffprobe", "-v", "warning", "-show_entries",
            "packet=stream_index,pts,flags,data_hash", "-show_data_hash", "md5", "-of", "csv=p=0",
            path,
        ])
        complaints = result.errors
        packets = try result.text.split(separator: "\n").map { line in
            let fields = line.split(separator: ",", omittingEmptySubsequences: false)
            guard fields.count >= 4, let track = Int(fields[0]), let time = Int64(fields[1]) else {
                throw SourceDocument.Unreadable(what: "packet without a time: \(line)")
            }
            return Packet(
                track: track,
                milliseconds: time,
                isKey: fields[2].hasPrefix("K"),
                payload: String(fields[3])
            )
        }
    }

    /// The packets with times moved.
    func moved(by milliseconds: Int64) -> [Packet] {
        packets.map { packet in
            var packet = packet
            packet.milliseconds += milliseconds
            return packet
        }
    }
}

/// Hash per track of everything a decoder makes of a file, and what it complains about.
func decoded(_ file: ByteBuffer) async throws -> (hashes: String, complaints: String) {
    let result = try await Program.run(
        [
            "ffmpeg", "-v", "warning", "-nostdin", "-i", "pipe:0", "-map", "0", "-f",
            "streamhash", "-hash", "crc32", "pipe:1",
        ],
        input: file
    )
    return (result.text, result.errors)
}

/// Cuts native output into its documents.
func documents(_ output: ByteBuffer) -> [ByteBuffer] {
    let bytes = output.readableBytesUInt8Span
    var starts: [Int] = []
    var index = 0
    while index + 4 <= bytes.count {
        if bytes[index] == 0x1A, bytes[index + 1] == 0x45, bytes[index + 2] == 0xDF,
            bytes[index + 3] == 0xA3
        {
            starts.append(index)
        }
        index += 1
    }
    return starts.enumerated().map { place, start in
        let end = place + 1 < starts.count ? starts[place + 1] : bytes.count
        return output.getSlice(at: output.readerIndex + start, length: end - start) ?? ByteBuffer()
    }
}

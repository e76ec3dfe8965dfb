import Foundation

/// Programs of other people that judge what we write.
enum Tool: String {
    case ffmpeg
    case ffprobe
    case mkvinfo
    case mkvmerge

    /// Where the program is; `nil` when it is not installed.
    var path: String? {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        return folders.map { "\($0)/\(rawValue)" }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    /// Runs the program and waits for it; throws when it is not installed.
    ///
    /// - Returns: Its exit status and what it wrote to both outputs.
    func run(_ arguments: [String]) throws -> (status: Int32, output: String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path ?? "/nonexistent/\(rawValue)")
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: output, as: UTF8.self))
    }
}

/// A file that is gone when the test is over.
final class TemporaryFile {
    let path: String

    init(_ bytes: Bytes = [], suffix: String = ".mkv") throws {
        path = NSTemporaryDirectory() + "kinelog-\(UUID().uuidString)\(suffix)"
        try Data(bytes).write(to: URL(fileURLWithPath: path))
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    var bytes: Bytes {
        get throws { Bytes(try Data(contentsOf: URL(fileURLWithPath: path))) }
    }
}

/// Matroska files made of the sample media, once per test run.
enum SampleMatroska: String, CaseIterable, Sendable {
    /// Known sizes throughout, CRC-32 in Clusters, SeekHead, Cues, tags.
    case seekable
    /// A Segment of unknown size.
    case live
    /// Segment and Clusters of unknown size, as the producer SDK sends them.
    case producer
    /// Written by another muxer: other order, lacing of audio, block groups.
    case mkvmerge

    private static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("SampleMedia")

    private static let seekableFile = Result { try SampleMatroska.seekable.make() }
    private static let liveFile = Result { try SampleMatroska.live.make() }
    private static let producerFile = Result { try SampleMatroska.producer.make() }
    private static let mkvmergeFile = Result { try SampleMatroska.mkvmerge.make() }

    /// The whole file.
    var bytes: Bytes {
        get throws {
            switch self {
            case .seekable: try Self.seekableFile.get()
            case .live: try Self.liveFile.get()
            case .producer: try Self.producerFile.get()
            case .mkvmerge: try Self.mkvmergeFile.get()
            }
        }
    }

    private func make() throws -> Bytes {
        let source = Self.folder.appendingPathComponent("visitor.mp4").path
        let file = try TemporaryFile()
        switch self {
        case .seekable:
            _ = try Tool.ffmpeg.run([
                "-v", "error", "-y", "-i", source, "-c", "copy", "-t", "4",
                "-cluster_time_limit", "1000", "-f", "matroska", file.path,
            ])
        case .live:
            _ = try Tool.ffmpeg.run([
                "-v", "error", "-y", "-i", source, "-c", "copy", "-t", "4", "-live", "1",
                "-cluster_time_limit", "1000", "-f", "matroska", file.path,
            ])
        case .producer:
            return Boundaries.withOpenClusters(try Self.live.bytes)
        case .mkvmerge:
            _ = try Tool.mkvmerge.run([
                "-o", file.path, "--split", "parts:00:00:00-00:00:04", "--engage",
                "lacing_ebml", source,
            ])
        }
        return try file.bytes
    }
}

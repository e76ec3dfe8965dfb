import FFmpegMedia
import NIOCore
import TestSupport

/// A file that the ffmpeg command line made for a test.
struct Fixture: Sendable {
    let path: String
    let bytes: ByteBuffer
}

/// Files made from `SampleMedia`, each once for all tests of the process.
actor Fixtures {
    static let shared = Fixtures()

    private var made: [String: Task<Fixture, any Error>] = [:]
    private var directory: TemporaryDirectory?

    /// Runs ffmpeg and keeps what it wrote.
    ///
    /// - Parameters:
    ///   - input: What to read, as arguments.
    ///   - output: What to do with it, as arguments without the output file.
    /// - Returns: The file, made now or earlier.
    /// - Throws: When ffmpeg fails.
    func make(_ input: [String], _ output: [String]) async throws -> Fixture {
        let key = (input + output).joined(separator: " ")
        if let task = made[key] { return try await task.value }
        let directory = try self.directory ?? TemporaryDirectory()
        self.directory = directory
        let path = directory.file("\(made.count)")
        let task = Task {
            try await Program.succeed(
                ["ffmpeg", "-v", "error", "-nostdin", "-y"] + input + output + [path]
            )
            return Fixture(path: path, bytes: try contents(ofFile: path))
        }
        made[key] = task
        return try await task.value
    }
}

/// Containers that `SampleMedia` is put into without encoding it again.
enum Container: String, Sendable, CaseIterable {
    case mpegTS
    case matroska
    case liveMatroska
    case flv
    case fragmentedMP4
    case mp4InFront

    var format: InputFormat {
        switch self {
        case .mpegTS: .mpegTS
        case .matroska, .liveMatroska: .matroska
        case .flv: .flv
        case .fragmentedMP4, .mp4InFront: .mp4
        }
    }

    var arguments: [String] {
        switch self {
        case .mpegTS: ["-f", "mpegts"]
        case .matroska: ["-f", "matroska"]
        case .liveMatroska: ["-f", "matroska", "-live", "1"]
        case .flv: ["-f", "flv"]
        case .fragmentedMP4:
            ["-movflags", "+frag_keyframe+empty_moov+default_base_moof", "-f", "mp4"]
        case .mp4InFront: ["-movflags", "+faststart", "-f", "mp4"]
        }
    }

    /// A file of `SampleMedia` in this container.
    func fixture(of media: SampleMedia) async throws -> Fixture {
        try await Fixtures.shared.make(["-i", media.path], ["-c", "copy"] + arguments)
    }

    /// Two seconds of real media, encoded small, for tests that read a file thousands of times.
    func smallFixture() async throws -> Fixture {
        let encoded = try await Fixtures.shared.make(
            ["-t", "2", "-i", SampleMedia.visitor.path],
            [
                "-vf", "scale=160:-2", "-c:v", "libx264", "-preset", "ultrafast", "-bf", "2", "-g",
                "25", "-b:v", "60k", "-c:a", "aac", "-b:a", "16k", "-ac", "1", "-f", "mp4",
            ]
        )
        return try await Fixtures.shared.make(
            ["-i", encoded.path],
            ["-c", "copy"] + arguments
        )
    }
}

/// What a demuxer gave.
struct Demuxed: Sendable {
    var tracks: [DemuxedTrack] = []
    var samples: [DemuxedSample] = []
    var skippedStreams: [SkippedStream] = []
    var droppedSampleCount = 0
    var error: FFmpegMediaError?

    /// The samples of a track.
    func samples(of track: Int) -> [DemuxedSample] {
        samples.filter { $0.track == track }
    }

    /// Reads to the end; a thrown error is kept beside what came before it.
    static func read(
        _ pipe: BytePipe,
        _ format: InputFormat,
        _ limits: DemuxerLimits = DemuxerLimits()
    ) -> Demuxed {
        var result = Demuxed()
        do {
            let demuxer = try Demuxer(pipe: pipe, format: format, limits: limits)
            defer {
                result.tracks = demuxer.tracks
                result.skippedStreams = demuxer.skippedStreams
                result.droppedSampleCount = demuxer.droppedSampleCount
            }
            while let sample = try demuxer.next() { result.samples.append(sample) }
        } catch let error as FFmpegMediaError {
            result.error = error
        } catch {
            result.error = FFmpegMediaError(.library, "unexpected: \(error)")
        }
        return result
    }

    /// Reads what is in memory to the end.
    static func read(
        _ bytes: ByteBuffer,
        _ format: InputFormat,
        _ limits: DemuxerLimits = DemuxerLimits()
    ) -> Demuxed {
        read(BytePipe(contents: bytes), format, limits)
    }
}

/// A packet as `ffprobe` lists it.
struct ProbedPacket: Equatable, Sendable, CustomStringConvertible {
    var pts: Int64?
    var dts: Int64?
    var isSync: Bool

    var description: String {
        "\(pts.map(String.init) ?? "-")/\(dts.map(String.init) ?? "-")\(isSync ? "K" : "")"
    }

    init(_ sample: DemuxedSample) {
        pts = sample.pts
        dts = sample.dts
        isSync = sample.isSync
    }

    private init(fields: [Substring]) {
        pts = Int64(fields[1])
        dts = Int64(fields[2])
        isSync = fields[3].hasPrefix("K")
    }

    /// The packets of every stream of a file, in order.
    static func list(_ path: String, _ options: [String] = []) async throws -> [Int: [ProbedPacket]]
    {
        let output = try await Program.succeed(
            ["ffprobe", "-v", "error"] + options + [
                "-show_entries", "packet=stream_index,pts,dts,flags", "-of", "csv=p=0", path,
            ]
        )
        var packets: [Int: [ProbedPacket]] = [:]
        for line in String(buffer: output).split(separator: "\n") {
            let fields = line.split(separator: ",", omittingEmptySubsequences: false)
            guard fields.count >= 4, let stream = Int(fields[0]) else { continue }
            packets[stream, default: []].append(ProbedPacket(fields: fields))
        }
        return packets
    }
}

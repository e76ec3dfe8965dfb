import FragmentLog
import Ingest
import LogTestSupport
import Logging
import Matroska
import MediaModel
import NIOCore
import TestSupport

/// A log in a temporary directory with one stream, and what tests ask of it.
struct IngestBench {
    let place: TemporaryLog
    let log: FragmentLog
    let stream: StreamLog

    static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    /// 2026-11-21T10:00:00Z.
    static let start = Timestamp(milliseconds: 1_795_255_200_000)

    init(
        retentionHours: Int = 24,
        configure: (inout LogConfiguration) -> Void = { _ in }
    ) async throws {
        var place = try TemporaryLog()
        // A busy machine may hold a producer up for seconds; silence is a matter of its own test.
        place.configuration.silentTakeoverMilliseconds = 60_000
        configure(&place.configuration)
        self.place = place
        log = try await place.open()
        stream = try await log.createStream(
            StreamSettings(name: .test(), retentionHours: retentionHours)
        )
    }

    /// Pushes a body in chunks of `chunk` bytes.
    func push(
        _ body: ByteBuffer,
        chunk: Int = 65_536,
        start: Timestamp? = IngestBench.start,
        breaksWith error: (any Error)? = nil,
        limits: PushLimits = PushLimits()
    ) async throws -> PushOutcome {
        let session = try PushSession(
            stream: stream,
            request: PushRequest(peer: "test", startTimestamp: start),
            limits: limits,
            logger: Self.logger
        )
        return await session.run(ChunkedBody(body, chunk: chunk, error: error))
    }

    /// Every stored fragment, oldest first, incomplete ones included.
    func records() async throws -> [FragmentRecord] {
        var cursor = try await stream.cursor(.earliest)
        var records: [FragmentRecord] = []
        while case .stored(let record) = try await cursor.next(follow: false) {
            records.append(record)
        }
        return records
    }

    /// The sample table of a fragment, after checking that it points at the samples' bytes.
    func table(_ record: FragmentRecord) async throws -> SampleTable {
        try StoredFragment.parse(try await stream.read(record, .stored)).table
    }

    /// Header and Clusters of the stored fragments as one Matroska document.
    func document(_ records: [FragmentRecord]) async throws -> ByteBuffer {
        guard let first = records.first else { return ByteBuffer() }
        var bytes = try await stream.header(of: first).bytes
        for record in records {
            bytes.writeImmutableBuffer(try await stream.read(record, .cluster))
        }
        return bytes
    }

    func gaps(_ clock: StreamClock = .producer) async throws -> [Gap] {
        try await stream.gaps(
            in: Timestamp(milliseconds: 0)..<Timestamp.endOfTime,
            clock: clock,
            limit: 1000
        )
    }

    /// Waits for the fragment that begins at a producer time.
    ///
    /// - Returns: The fragment, if it is still open.
    @discardableResult
    func fragment(at producer: Timestamp) async throws -> OpenFragment? {
        var cursor = try await stream.cursor(.earliest)
        while true {
            switch try await cursor.next(follow: true) {
            case .open(let fragment):
                if fragment.opening.producer == producer { return fragment }
            case .stored(let record):
                if record.producer == producer { return nil }
            case .end: return nil
            }
        }
    }

    /// Takes the stream's directory away, so that nothing can be stored any more.
    func breakDisk() async throws {
        let path = "\(place.configuration.directory)/streams/\(stream.id)"
        try await Program.succeed(["mv", path, path + ".gone"])
    }

    func close() async {
        await log.close()
    }
}

/// A body that arrives in pieces and may break off.
struct ChunkedBody: AsyncSequence, Sendable {
    typealias Element = ByteBuffer

    let bytes: ByteBuffer
    let chunk: Int
    let error: (any Error)?

    init(_ bytes: ByteBuffer, chunk: Int, error: (any Error)? = nil) {
        self.bytes = bytes
        self.chunk = chunk
        self.error = error
    }

    struct Iterator: AsyncIteratorProtocol {
        var rest: ByteBuffer
        let chunk: Int
        let error: (any Error)?

        mutating func next() async throws -> ByteBuffer? {
            let count = Swift.min(chunk, rest.readableBytes)
            if count == 0, let error { throw error }
            return count == 0 ? nil : rest.readSlice(length: count)
        }
    }

    func makeAsyncIterator() -> Iterator {
        Iterator(rest: bytes, chunk: chunk, error: error)
    }
}

/// The connection is gone.
struct ConnectionLost: Error {}

/// Containers that ffmpeg makes of a file of `SampleMedia` without touching its samples.
enum Remux {
    static func arguments(_ format: String) -> [String] {
        switch format {
        case "mp4": ["-movflags", "+frag_keyframe+empty_moov+default_base_moof", "-f", "mp4"]
        case "matroska": ["-f", "matroska", "-live", "1"]
        case "matroska-file": ["-f", "matroska"]
        default: ["-f", format]
        }
    }

    static func make(
        _ media: SampleMedia,
        _ format: String,
        before: [String] = [],
        _ more: [String] = []
    ) async throws -> ByteBuffer {
        try await Program.succeed(
            ["ffmpeg", "-v", "error", "-nostdin"] + before + ["-i", media.path, "-c", "copy"] + more
                + arguments(format) + ["-"]
        )
    }

    /// MD5 of every decoded frame of one kind, in order of presentation.
    static func frameHashes(_ document: ByteBuffer, _ kind: String) async throws -> [String] {
        let lines = try await Program.succeed(
            [
                "ffmpeg", "-v", "error", "-nostdin", "-i", "-", "-map", "0:\(kind)", "-vsync",
                "passthrough", "-f", "framemd5", "-",
            ],
            input: document
        )
        return String(buffer: lines).split(separator: "\n").filter { !$0.hasPrefix("#") }.compactMap
        {
            $0.split(separator: ",").last.map { String($0).trimmed }
        }
    }

    /// Presentation and decode times of the packets of one kind, in ticks of the container.
    static func packets(
        _ body: ByteBuffer,
        _ kind: String
    ) async throws -> [(pts: Int64, dts: Int64?)] {
        let lines = try await Program.succeed(
            [
                "ffprobe", "-v", "error", "-select_streams", kind, "-show_entries",
                "packet=pts,dts", "-of", "csv=p=0", "-",
            ],
            input: body
        )
        return String(buffer: lines).split(separator: "\n").compactMap { line in
            let fields = line.split(separator: ",")
            guard fields.count >= 2, let pts = Int64(fields[0]) else { return nil }
            return (pts, Int64(fields[1]))
        }
    }
}

extension String {
    fileprivate var trimmed: String {
        String(drop { $0 == " " })
    }
}

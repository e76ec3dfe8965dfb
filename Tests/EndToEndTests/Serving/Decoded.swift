import FoundationEssentials
import NIOCore
import TestSupport

/// What ffmpeg makes of some media.
struct Decoded: Equatable {
    /// MD5 of every decoded frame, in order, for each kind of track.
    var video: [String] = []
    var audio: [String] = []

    /// Everything that ffmpeg had to say about the media from the level `warning` on.
    var complaints = ""

    /// What tells the frames from others; `nil` when they are the same.
    ///
    /// Short, where a comparison of the lists would print them all.
    func difference(from other: Decoded) -> String? {
        Self.difference(video, other.video).map { "video: " + $0 }
            ?? Self.difference(audio, other.audio).map { "audio: " + $0 }
    }

    /// The same of two lists of hashes.
    static func difference(_ found: [String], _ expected: [String]) -> String? {
        if found == expected { return nil }
        let same = zip(found, expected).prefix { $0 == $1 }.count
        return
            "\(found.count) frames for \(expected.count), of which the first \(same) are the same"
    }

    /// Decodes the first video and the first audio track of a body.
    ///
    /// - Throws: When ffmpeg fails.
    init(_ media: ByteBuffer) async throws {
        let run = try await Program.run(
            [
                "ffmpeg", "-v", "warning", "-nostdin", "-i", "-", "-map", "0:v:0", "-map", "0:a:0?",
                "-fps_mode", "passthrough", "-f", "framemd5", "-",
            ],
            input: media
        )
        guard run.status == 0 else { throw TestSupportError("ffmpeg: \(run.errors)") }
        complaints = run.errors
        // stream index, dts, pts, duration, size, hash
        for line in run.text.split(separator: "\n") where !line.hasPrefix("#") {
            let fields = line.split { $0 == "," || $0 == " " }
            guard let kind = fields.first, let hash = fields.last else { continue }
            if kind == "0" { video.append(String(hash)) } else { audio.append(String(hash)) }
        }
    }
}

/// One packet of a body as ffprobe reads it, in ticks of its container.
struct Packet: Equatable {
    var pts: Int64
    var dts: Int64?

    /// The packets of one kind (`v` or `a`), in the order of the body.
    static func all(_ kind: String, of media: ByteBuffer) async throws -> [Packet] {
        let text = try await Program.succeed(
            [
                "ffprobe", "-v", "error", "-select_streams", kind, "-show_entries",
                "packet=pts,dts", "-of", "csv=p=0", "-",
            ],
            input: media
        )
        return String(buffer: text).split(separator: "\n").compactMap { line in
            let fields = line.split(separator: ",")
            guard fields.count >= 2, let pts = Int64(fields[0]) else { return nil }
            return Packet(pts: pts, dts: Int64(fields[1]))
        }
    }
}

extension RawResponse {
    /// The body read as JSON.
    func decoded<Value: Decodable>(_ type: Value.Type = Value.self) throws -> Value {
        do {
            return try JSONDecoder().decode(type, from: Data(body.readableBytesView))
        } catch {
            throw TestSupportError("\(head)\(text): \(error)")
        }
    }
}

/// The shapes of the native API that tests read.
enum Shape {
    struct Fragment: Decodable, Equatable {
        var fragmentNumber: String
        var producerTimestamp: String
        var serverTimestamp: String
        var durationMs: Int
        var sizeBytes: Int
        var flags: [String]
        var tags: [String: String]
    }

    struct Page: Decodable {
        var fragments: [Fragment]
        var nextCursor: String?
    }

    struct Failure: Decodable {
        var code: String
        var message: String
    }

    struct Push: Decodable {
        var fragments: Int
        var sizeBytes: Int
        var error: Failure?
    }

    struct Refusal: Decodable {
        var error: Failure
    }

    struct Status: Decodable {
        var sessions: Int
        var sessionsMax: Int
        var openFragmentBytes: Int
        var openFragmentBytesMax: Int
    }

    struct Timeline: Decodable {
        struct Gap: Decodable, Equatable {
            var fromMs: Int64
            var toMs: Int64
            var reason: String
        }

        var gaps: [Gap]
    }

    struct Report: Decodable {
        var clean: Bool
        var fragments: Int
        var damage: Int
        var warnings: Int
    }

    struct Samples: Decodable {
        struct Track: Decodable {
            var number: UInt8
            var timeBase: [Int64]
        }

        struct Sample: Decodable {
            var track: UInt8
            var offset: Int
            var size: Int
            var dts: Int64
            var pts: Int64
            var sync: Bool
        }

        var tracks: [Track]
        var samples: [Sample]
    }
}

extension ServerProcess {
    /// All fragments of a stream, page by page.
    func fragments(_ stream: String) async throws -> [Shape.Fragment] {
        var fragments: [Shape.Fragment] = []
        var cursor: String?
        repeat {
            let target =
                "/v1/streams/\(stream)/fragments?limit=1000"
                + (cursor.map { "&cursor=\($0)" } ?? "")
            let page: Shape.Page = try await request("GET", target).decoded()
            fragments += page.fragments
            cursor = page.nextCursor
        } while cursor != nil
        return fragments
    }

    /// Pushes a body that must be taken whole.
    @discardableResult
    func pushWhole(
        _ body: ByteBuffer,
        to stream: String,
        query: String = ""
    ) async throws
        -> Shape.Push
    {
        let answer = try await request("PUT", "/v1/streams/\(stream)/media\(query)", body: body)
        guard answer.status == 200 else { throw TestSupportError("\(answer.head)\(answer.text)") }
        return try answer.decoded()
    }

    /// Why footage of a stream is missing: gaps on the producers' clock, then those on ours.
    func gaps(_ stream: String) async throws -> [Shape.Timeline.Gap] {
        var gaps: [Shape.Timeline.Gap] = []
        for clock in ["producer", "server"] {
            let answer = try await request("GET", "/v1/streams/\(stream)/timeline?by=\(clock)")
            gaps += try answer.decoded(Shape.Timeline.self).gaps
        }
        return gaps
    }

    /// What a check of everything stored finds.
    func verified() async throws -> Shape.Report {
        try await request("POST", "/v1/verify").decoded()
    }
}

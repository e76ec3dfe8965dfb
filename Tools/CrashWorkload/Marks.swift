import FragmentLog
import Glibc
import MediaModel
import NIOCore
import TestSupport

/// The file of what was promised, a line each, written with one call per line.
///
/// | line | meaning |
/// |---|---|
/// | `run` | a process begins |
/// | `time MS` | the clock stood there; retention may have gone up to it |
/// | `stream NAME DURABILITY` | the stream was made |
/// | `adopt NAME DURABILITY` | the stream was found and is used on |
/// | `deleting NAME`, `deleted NAME` | its deletion begins, has returned |
/// | `begin NAME NUMBER` | the number was assigned |
/// | `ack NAME NUMBER ORDINAL SESSION PRODUCER SERVEREND CRC LENGTH` | the fragment is durable |
/// | `gap NAME SESSION START` | a gap was reported |
/// | `ending NAME SESSION`, `end NAME SESSION` | the session's end begins, has returned |
final class Marks: Sendable {
    private let descriptor: Int32

    init(_ path: String) throws {
        descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw Arguments.Unusable(description: "cannot open \(path): errno \(errno)")
        }
    }

    deinit { close(descriptor) }

    func put(_ line: String) {
        var text = line + "\n"
        text.withUTF8 { bytes in
            _ = unsafe write(descriptor, bytes.baseAddress, bytes.count)
        }
    }
}

/// What the marks ask of the log.
struct Promises {
    struct Fragment {
        var number: FragmentNumber
        var ordinal: UInt64
        var session: UInt64
        var producer: Timestamp
        var serverEnd: Timestamp
        var crc: UInt32
        var length: Int
    }

    struct Stream {
        var durability: String
        var fragments: [Fragment] = []
        /// Sessions of the last run that had a fragment acknowledged, and how far their end came.
        var sessions: [UInt64: End] = [:]
        /// Starts of gaps that were reported in sessions of the last run.
        var gaps: [(session: UInt64, start: Int64)] = []
        var maxSequence: UInt64 = 0
        var isBeingDeleted = false
    }

    enum End {
        case open
        case ending
        case ended
    }

    /// By name.
    var streams: [String: Stream] = [:]
    /// Names of streams that are gone for good.
    var deleted: Set<String> = []
    /// The latest time the clock is known to have shown.
    var time: Int64 = 0
    var lineCount = 0

    init(_ path: String) throws {
        guard unsafe access(path, F_OK) == 0 else { return }
        let text = String(buffer: try contents(ofFile: path))
        // A kill between two calls never leaves half a line, a full disk might.
        for line in text.split(separator: "\n") { take(line.split(separator: " ")) }
    }

    private mutating func take(_ words: [Substring]) {
        guard let kind = words.first else { return }
        lineCount += 1
        let name = words.count > 1 ? String(words[1]) : ""
        func integer(_ index: Int) -> UInt64 {
            words.count > index ? UInt64(words[index]) ?? 0 : 0
        }
        func signed(_ index: Int) -> Int64 { words.count > index ? Int64(words[index]) ?? 0 : 0 }
        switch kind {
        case "run":
            for key in streams.keys {
                streams[key]?.sessions = [:]
                streams[key]?.gaps = []
            }
        case "time":
            time = max(time, signed(1))
        case "stream":
            streams[name] = Stream(durability: words.count > 2 ? String(words[2]) : "sync")
            deleted.remove(name)
        case "adopt":
            if streams[name]?.isBeingDeleted != false {
                streams[name] = Stream(durability: words.count > 2 ? String(words[2]) : "sync")
            }
            deleted.remove(name)
        case "deleting":
            streams[name]?.isBeingDeleted = true
        case "deleted":
            streams[name] = nil
            deleted.insert(name)
        case "begin":
            guard words.count > 2, let number = FragmentNumber(words[2]) else { return }
            let most = streams[name]?.maxSequence ?? 0
            streams[name]?.maxSequence = max(most, number.sequence)
        case "ack":
            guard words.count > 8, let number = FragmentNumber(words[2]) else { return }
            let fragment = Fragment(
                number: number,
                ordinal: integer(3),
                session: integer(4),
                producer: Timestamp(milliseconds: signed(5)),
                serverEnd: Timestamp(milliseconds: signed(6)),
                crc: UInt32(truncatingIfNeeded: integer(7)),
                length: Int(integer(8))
            )
            time = max(time, Int64(number.serverMilliseconds))
            streams[name]?.fragments.append(fragment)
            if streams[name]?.sessions[fragment.session] == nil {
                streams[name]?.sessions[fragment.session] = .open
            }
        case "gap":
            streams[name]?.gaps.append((integer(2), signed(3)))
        case "ending":
            streams[name]?.sessions[integer(2)] = .ending
        case "end":
            streams[name]?.sessions[integer(2)] = .ended
        default:
            break
        }
    }
}

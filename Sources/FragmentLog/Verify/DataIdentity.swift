import CLinux
import Glibc
import MediaModel
import NIOCore

/// What `format` and `streams/volume.json` say, however damaged they are.
///
/// Blocks.
struct DataIdentity: Equatable {
    enum Layout: Equatable {
        /// One this program knows; the volume it expects.
        case known(volume: String)
        case newer(Int)
        case missing
        case damaged
    }

    enum Volume: Equatable {
        case known(String)
        case missing
        case damaged
    }

    var layout: Layout
    var volume: Volume
    /// Whether any stream lies in `streams`.
    var hasStreams: Bool

    static func read(_ path: String) throws(LogError) -> DataIdentity {
        let layout: Layout
        if let content = try small("\(path)/format") {
            if let (version, volume) = try? DataDirectory.parse(content, "format") {
                layout =
                    version > DataDirectory.layoutVersion
                    ? .newer(version) : .known(volume: volume)
            } else {
                layout = .damaged
            }
        } else {
            layout = .missing
        }
        let volume: Volume
        if let content = try small("\(path)/streams/volume.json") {
            volume = Self.volume(in: String(buffer: content)).map { .known($0) } ?? .damaged
        } else {
            volume = .missing
        }
        let names =
            Directory.exists("\(path)/streams") ? try Directory.names(in: "\(path)/streams") : []
        return DataIdentity(
            layout: layout,
            volume: volume,
            hasStreams: names.contains { StreamID($0) != nil }
        )
    }

    /// The identity in the text of `volume.json`.
    static func volume(in text: String) -> String? {
        let parts = text.split(separator: "\"", omittingEmptySubsequences: false)
        guard parts.count == 5 else { return nil }
        let volume = String(parts[3])
        return DataDirectory.volumeText(volume) == text ? volume : nil
    }

    /// A file that should be a line or two; one that is far longer counts as damaged, not as a
    /// failure to read.
    private static func small(_ path: String) throws(LogError) -> ByteBuffer? {
        do {
            return try Directory.readFile(path, atMost: 4096)
        } catch {
            if error.code == .damaged { return ByteBuffer() }
            throw error
        }
    }
}

extension DataDirectory {
    /// Locks a data directory that is there, without looking at anything in it.
    ///
    /// - Throws: `.invalidArgument` when there is none, `.locked` when a server uses it.
    static func lockExisting(_ path: String) throws(LogError) -> OpenFile {
        guard Directory.exists(path) else {
            throw LogError(
                .invalidArgument,
                "There is no data directory \(path) to check; name another with --data."
            )
        }
        let inUse = ["format", "streams", "catalog.sqlite"].contains {
            Directory.exists("\(path)/\($0)")
        }
        guard inUse else {
            throw LogError(
                .invalidArgument,
                "\(path) holds nothing of a data directory; name another with --data."
            )
        }
        let lock = try OpenFile.open("\(path)/lock", O_RDWR | O_CREAT)
        if kl_try_lock(lock.descriptor) != 0 {
            throw LogError(
                .locked,
                "The data directory \(path) is used by a server; stop it first, or ask that server to verify."
            )
        }
        return lock
    }
}

extension OpenFile {
    /// Lets another process lock the file.
    func unlock() { kl_unlock(descriptor) }
}

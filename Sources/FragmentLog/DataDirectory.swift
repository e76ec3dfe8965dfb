import CLinux
import Glibc
import MediaModel
import NIOCore

/// The data directory: its layout version, its lock, and the identity of the media volume in it.
struct DataDirectory {
    /// The layout this build writes.
    static let layoutVersion = 1

    let path: String
    /// Held until the log is closed; the kernel releases it when the process ends.
    let lock: OpenFile
    /// The volume's identity while the directory is being made; `nil` once it is in use.
    let newVolume: String?
    /// Whether the kernel has run without a break since the directory was last used, so that what
    /// was written then is still in its cache even where it was not synced.
    let isSameBoot: Bool

    /// Whether nothing was ever stored here.
    var isNew: Bool { newVolume != nil }
    var streams: String { "\(path)/streams" }
    var catalog: String { "\(path)/catalog.sqlite" }
    var consumers: String { "\(path)/consumers.sqlite" }
    var copies: String { "\(path)/copies" }

    /// Opens or makes a data directory and locks it.
    ///
    /// Blocks.
    ///
    /// - Throws: `.locked` when another server uses it, `.newerVersion`, `.volumeMissing`.
    static func open(_ path: String) throws(LogError) -> DataDirectory {
        umask(0o077)
        var parent = ""
        for component in path.split(separator: "/", omittingEmptySubsequences: false) {
            parent += (parent.isEmpty && component.isEmpty ? "/" : component + "/")
            if component.isEmpty || Directory.exists(parent) { continue }
            try Directory.create(String(parent.dropLast()))
            let above = parent.dropLast().split(separator: "/", omittingEmptySubsequences: false)
                .dropLast().joined(separator: "/")
            try Directory.sync(above.isEmpty ? (path.hasPrefix("/") ? "/" : ".") : above)
        }
        let lock = try OpenFile.open("\(path)/lock", O_RDWR | O_CREAT)
        if kl_try_lock(lock.descriptor) != 0 {
            throw LogError(
                .locked,
                "The data directory \(path) is used by another server; stop it or choose another --data."
            )
        }
        let formatFile = "\(path)/format"
        let volumeFile = "\(path)/streams/volume.json"
        if let format = try Directory.readFile(formatFile, atMost: 4096) {
            let (layout, volume) = try parse(format, formatFile)
            guard layout <= layoutVersion else {
                throw LogError(
                    .newerVersion,
                    "The data directory \(path) has layout \(layout), this program knows up to \(layoutVersion); run a newer one."
                )
            }
            guard let found = try Directory.readFile(volumeFile, atMost: 4096) else {
                throw LogError(
                    .volumeMissing,
                    "\(volumeFile) is missing: the media volume is not mounted, or its files are gone. Mount it; nothing was changed."
                )
            }
            guard String(buffer: found) == volumeText(volume) else {
                throw LogError(
                    .volumeMissing,
                    "\(volumeFile) belongs to another data directory (expected volume \(volume)); mount the right volume. Nothing was changed."
                )
            }
            let boot = try Directory.readFile("\(path)/boot", atMost: 4096)
            return DataDirectory(
                path: path,
                lock: lock,
                newVolume: nil,
                isSameBoot: boot != nil && boot.map { String(buffer: $0) } == bootID()
            )
        }
        // Without `format` nothing was ever stored: it is written last, by ``finishCreation()``.
        let streams = "\(path)/streams"
        let used = Directory.exists(streams) ? try Directory.names(in: streams) : []
        guard !used.contains(where: { StreamID($0) != nil }) else {
            throw inUse(path)
        }
        let volume = String(UInt64.random(in: .min ... .max), radix: 16)
        try Directory.create(streams)
        try Directory.create("\(path)/copies")
        try Directory.replaceFile(
            "volume.json",
            in: streams,
            with: ByteBuffer(string: volumeText(volume))
        )
        return DataDirectory(path: path, lock: lock, newVolume: volume, isSameBoot: false)
    }

    /// Marks a new directory as in use, once its databases are durable.
    func finishCreation() throws(LogError) {
        guard let newVolume else { return }
        try Directory.sync(path)
        let parent = path.split(separator: "/", omittingEmptySubsequences: false).dropLast()
        try Directory.sync(parent.isEmpty ? "." : parent.joined(separator: "/") + "/")
        try Directory.replaceFile(
            "format",
            in: path,
            with: Self.formatText(newVolume)
        )
    }

    /// The error for a directory without `format` that holds streams.
    static func inUse(_ path: String) -> LogError {
        LogError(
            .damaged,
            "\(path)/format is missing in a data directory that is in use; run 'kinelog verify --repair --data \(path)'."
        )
    }

    /// Lets another server use the directory.
    func unlock() { kl_unlock(lock.descriptor) }

    /// Notes the boot, once everything that a crash may have left was looked at.
    func noteBoot() throws(LogError) {
        guard let boot = Self.bootID() else { return }
        try Directory.replaceFile("boot", in: path, with: ByteBuffer(string: boot))
    }

    static func formatText(_ volume: String) -> ByteBuffer {
        ByteBuffer(string: "kinelog layout \(layoutVersion)\nvolume \(volume)\n")
    }

    static func volumeText(_ volume: String) -> String { "{\"volume\":\"\(volume)\"}\n" }

    static func parse(
        _ content: ByteBuffer,
        _ file: String
    ) throws(LogError)
        -> (layout: Int, volume: String)
    {
        let lines = String(buffer: content).split(separator: "\n")
        guard lines.count == 2, lines[0].hasPrefix("kinelog layout "),
            let layout = Int(lines[0].dropFirst(15)), lines[1].hasPrefix("volume ")
        else {
            throw LogError(
                .damaged,
                "\(file) does not hold a layout and a volume; restore it from a backup."
            )
        }
        return (layout, String(lines[1].dropFirst(7)))
    }

    private static func bootID() -> String? {
        (try? Directory.readFile("/proc/sys/kernel/random/boot_id", atMost: 4096)).flatMap {
            $0.map { String(buffer: $0) }
        }
    }
}

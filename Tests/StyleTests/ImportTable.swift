/// Who may import whom: the table of `README.md`, "The map", in a form that can be checked.
enum ImportTable {
    /// The package's own targets, from the executable down; an arrow points down this list only.
    static let ownTargets: [String: Set<String>] = [
        "kinelog": [
            "ServerHTTP", "KinelogClient", "Playback", "Ingest", "FragmentLog", "Catalog",
            "FFmpegMedia", "Matroska", "MediaModel", "CLinux",
        ],
        "ServerHTTP": [
            "Playback", "Ingest", "FragmentLog", "Catalog", "FFmpegMedia", "Matroska",
            "MediaModel",
        ],
        "KinelogClient": ["MediaModel"],
        "Playback": ["FragmentLog", "FFmpegMedia", "Matroska", "MediaModel"],
        "Ingest": ["FragmentLog", "FFmpegMedia", "Matroska", "MediaModel"],
        "FragmentLog": ["Catalog", "Matroska", "MediaModel", "CLinux"],
        "Catalog": ["MediaModel"],
        "FFmpegMedia": ["MediaModel", "CFFmpeg"],
        "Matroska": ["MediaModel", "CZlib"],
        "MediaModel": [],
    ]

    /// Frameworks that have the importers named here and no others.
    static let frameworks: [String: Set<String>] = [
        "ArgumentParser": ["kinelog"],
        "AsyncHTTPClient": ["KinelogClient"],
        "GRDB": ["Catalog"],
        "Hummingbird": ["ServerHTTP"],
        "HummingbirdCore": ["ServerHTTP"],
        "HTTPTypes": ["ServerHTTP"],
        // The names of methods and headers that AsyncHTTPClient speaks in.
        "NIOHTTP1": ["KinelogClient", "ServerHTTP"],
        "NIOHTTPTypes": ["ServerHTTP"],
        // The signals at which `serve` ends.
        "UnixSignals": ["kinelog"],
    ]

    /// What every target but `MediaModel` may import.
    static let common: Set<String> = [
        "NIOCore", "NIOPosix", "Logging", "Metrics", "ServiceLifecycle", "Synchronization",
        "Collections",
    ]

    /// Modules of the toolchain, for whom, and what for.
    static let toolchain: [String: [String: String]] = [
        "Catalog": ["Glibc": "file modes, fsync and rename of the daily copies"],
        "FFmpegMedia": ["Glibc": "monitors of the byte pipe, errno names"],
        "FragmentLog": [
            "Glibc": "the file calls of the commit order",
            "Dispatch": "semaphores of blocking callers",
            "FoundationEssentials": "JSON of stream.json and events.log",
        ],
        "Ingest": ["Glibc": "threads that run a demuxer"],
        "KinelogClient": [
            "Glibc": "reading files and standard input",
            "FoundationEssentials": "JSON of the API",
        ],
        "ServerHTTP": [
            "Glibc": "socket progress and host names",
            "FoundationEssentials": "JSON of requests",
        ],
        "kinelog": [
            "Glibc": "terminal, signals and output",
            "UnixSignals": "the signals that end the service group",
            "FoundationEssentials": "JSON output of commands",
        ],
    ]

    /// Whether a target may import a module, by its name.
    static func allows(_ target: String, _ module: String) -> Bool {
        if let importers = frameworks[module] { return importers.contains(target) }
        if ownTargets[target]?.contains(module) == true { return true }
        if target != "MediaModel", common.contains(module) { return true }
        return toolchain[target]?[module] != nil
    }
}

import Glibc
import NIOPosix

/// How much room there is on a file system.
struct Volume: Equatable {
    /// What this process may still write.
    let availableBytes: UInt64
    let totalBytes: UInt64

    /// The file system of a path; `nil` when it cannot be asked.
    ///
    /// The call waits where a disk hangs, so that it is made on a thread that may.
    static func of(_ path: String) async -> Volume? {
        try? await NIOThreadPool.singleton.runIfActive { Volume(path: path) }
    }

    private init?(path: String) {
        var found = statvfs()
        guard unsafe statvfs(path, &found) == 0 else { return nil }
        availableBytes = UInt64(found.f_bavail) &* UInt64(found.f_frsize)
        totalBytes = UInt64(found.f_blocks) &* UInt64(found.f_frsize)
    }
}

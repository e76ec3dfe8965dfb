import Glibc
import NIOCore

/// Operations on directories and names, each durable when its documentation says so.
///
/// All block.
enum Directory {
    /// Makes a directory of mode 0700 unless it is there; returns whether it was made.
    @discardableResult
    static func create(_ path: String) throws(LogError) -> Bool {
        if unsafe mkdir(path, 0o700) == 0 { return true }
        if errno == EEXIST { return false }
        throw LogError.system("mkdir", path)
    }

    /// Makes the entries of a directory durable.
    static func sync(_ path: String) throws(LogError) {
        let directory = try OpenFile.open(path, O_RDONLY | O_DIRECTORY)
        try directory.sync()
    }

    /// Removes a file; a file that is not there is no error.
    ///
    /// Not durable before ``sync(_:)``.
    static func unlink(_ path: String) throws(LogError) {
        if unsafe Glibc.unlink(path) != 0, errno != ENOENT { throw LogError.system("unlink", path) }
    }

    /// Removes an empty directory; one that is not there is no error.
    static func remove(_ path: String) throws(LogError) {
        if unsafe rmdir(path) != 0, errno != ENOENT { throw LogError.system("rmdir", path) }
    }

    static func exists(_ path: String) -> Bool {
        unsafe access(path, F_OK) == 0
    }

    /// The length of a file, 0 for one that is not there; `nil` when that cannot be told.
    static func size(of path: String) -> UInt64? {
        var info = Glibc.stat()
        if unsafe stat(path, &info) == 0 { return UInt64(info.st_size) }
        return errno == ENOENT ? 0 : nil
    }

    /// The names in a directory, without `.` and `..`, sorted.
    static func names(in path: String) throws(LogError) -> [String] {
        guard let directory = unsafe opendir(path) else { throw LogError.system("opendir", path) }
        defer { unsafe closedir(directory) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = unsafe readdir(directory) else {
                if errno != 0 { throw LogError.system("readdir", path) }
                break
            }
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) {
                    unsafe String(cString: $0)
                }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// Replaces a small file as a whole and durably: write beside it, sync, rename, sync the
    /// directory.
    ///
    /// After a crash either the old or the new content is there.
    static func replaceFile(
        _ name: String,
        in directory: String,
        with content: ByteBuffer
    )
        throws(LogError)
    {
        let temporary = "\(directory)/\(name).new"
        let file = try OpenFile.open(temporary, O_WRONLY | O_CREAT | O_TRUNC)
        try file.write([content], at: 0)
        try file.sync()
        if unsafe rename(temporary, "\(directory)/\(name)") != 0 {
            throw LogError.system("rename", temporary)
        }
        try sync(directory)
    }

    /// The whole of a small file; `nil` when it is not there.
    static func readFile(_ path: String, atMost limit: Int) throws(LogError) -> ByteBuffer? {
        let file: OpenFile
        do {
            file = try OpenFile.open(path, O_RDONLY)
        } catch {
            if error.code == .gone { return nil }
            throw error
        }
        let content = try file.read(at: 0, length: limit + 1)
        if content.readableBytes > limit {
            throw LogError(
                .damaged,
                "\(path) is larger than the \(limit) bytes such a file can have."
            )
        }
        return content
    }
}

internal import Glibc

/// The few system calls on whole database files, each failing with a sentence.
enum FileCalls {
    /// What a path names.
    enum Kind: Equatable {
        case missing
        case file(byteCount: Int64)
        case directory
        case other
    }

    /// What lies at a path, following symbolic links.
    static func kind(of path: String) throws(CatalogError) -> Kind {
        var info = stat()
        guard unsafe stat(path, &info) == 0 else {
            if errno == ENOENT { return .missing }
            throw failure("look at", path)
        }
        return switch info.st_mode & S_IFMT {
        case S_IFREG: .file(byteCount: Int64(info.st_size))
        case S_IFDIR: .directory
        default: .other
        }
    }

    /// Throws when this process may not read and write the file.
    static func checkAccess(_ path: String) throws(CatalogError) {
        if unsafe access(path, R_OK | W_OK) != 0 { throw failure("read and write", path) }
    }

    /// Up to `count` bytes from the start of a file.
    static func head(of path: String, count: Int) throws(CatalogError) -> [UInt8] {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        if descriptor < 0 { throw failure("open", path) }
        defer { _ = Glibc.close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: count)
        var filled = 0
        while filled < count {
            let got = unsafe bytes.withUnsafeMutableBytes { buffer in
                unsafe pread(
                    descriptor,
                    buffer.baseAddress?.advanced(by: filled),
                    count - filled,
                    off_t(filled)
                )
            }
            if got < 0, errno == EINTR { continue }
            if got < 0 { throw failure("read", path) }
            if got == 0 { break }
            filled += got
        }
        return Array(bytes.prefix(filled))
    }

    /// Makes a file's content, or a folder's entries, durable.
    static func sync(_ path: String, directory: Bool = false) throws(CatalogError) {
        let flags = O_CLOEXEC | O_RDONLY | (directory ? O_DIRECTORY : 0)
        let descriptor = unsafe open(path, flags)
        if descriptor < 0 { throw failure("open", path) }
        defer { _ = Glibc.close(descriptor) }
        if fsync(descriptor) != 0 { throw failure("sync", path) }
    }

    /// Moves a file over another in the same folder, then makes the folder durable.
    static func replace(_ path: String, with source: String) throws(CatalogError) {
        if unsafe rename(source, path) != 0 { throw failure("rename to '\(path)'", source) }
        try sync(folder(of: path), directory: true)
    }

    /// Removes a file; nothing happens when there is none.
    static func remove(_ path: String) throws(CatalogError) {
        if unsafe unlink(path) != 0, errno != ENOENT { throw failure("remove", path) }
    }

    /// The names in a folder, in no order.
    static func names(in directory: String) throws(CatalogError) -> [String] {
        guard let stream = unsafe opendir(directory) else { throw failure("list", directory) }
        defer { _ = unsafe closedir(stream) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = unsafe readdir(stream) else { break }
            let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        if errno != 0 { throw failure("list", directory) }
        return names
    }

    /// The folder a path lies in.
    static func folder(of path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    private static func failure(_ attempt: String, _ path: String) -> CatalogError {
        let number = errno
        let reason = unsafe strerror(number).map { unsafe String(cString: $0) } ?? "errno \(number)"
        let code: CatalogError.Code =
            switch number {
            case ENOSPC, EDQUOT: .diskFull
            case EIO: .ioError
            default: .cannotOpen
            }
        return CatalogError(
            code: code,
            message: "Could not \(attempt) '\(path)': \(reason). Check the path, its rights and "
                + "the disk."
        )
    }
}

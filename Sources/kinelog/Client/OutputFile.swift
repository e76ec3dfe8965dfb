import Glibc
import NIOCore

/// Where footage is written: a file that appears when it is whole, or standard output.
final class OutputFile {
    private let descriptor: Int32
    /// The name the file gets in the end; `nil` for standard output and what is no regular file.
    private let finalPath: String?
    private let path: String

    /// How many bytes have been written.
    private(set) var byteCount: Int64 = 0

    /// What is added to a file's name until it is whole.
    static let partSuffix = ".part"

    /// Opens a file.
    ///
    /// - Parameters:
    ///   - path: The file, or `-` for standard output. A pipe or a device is written to as it is.
    ///   - replaces: Whether a file of that name may be replaced.
    /// - Throws: ``CommandError`` when it exists or cannot be made.
    init(_ path: String, replaces: Bool) throws(CommandError) {
        let opened = try Opened(path, replaces: replaces)
        self.path = opened.path
        finalPath = opened.finalPath
        descriptor = opened.descriptor
    }

    deinit {
        if descriptor != STDOUT_FILENO { close(descriptor) }
    }

    /// Where the bytes are at present, for messages.
    var place: String { path }

    /// Where they are in the end.
    var finalPlace: String { finalPath ?? path }

    /// Writes all of a buffer.
    ///
    /// - Throws: ``CommandError`` when it cannot be written.
    func write(_ bytes: ByteBuffer) async throws {
        let (descriptor, path) = (descriptor, path)
        try await Terminal.writeAll(bytes, to: descriptor, path)
        byteCount += Int64(bytes.readableBytes)
    }

    /// Gives the file its name.
    ///
    /// - Throws: ``CommandError`` when it cannot be renamed.
    func finish() throws(CommandError) {
        guard let finalPath else { return }
        guard unsafe rename(path, finalPath) == 0 else {
            throw .system("rename '\(path)' to '\(finalPath)'", errno)
        }
    }

    /// The name of the n-th document of a file: `dock.mkv`, `dock.2.mkv`, `dock.3.mkv`.
    static func name(_ path: String, document number: Int) -> String {
        guard number > 1 else { return path }
        let name = path.split(separator: "/", omittingEmptySubsequences: false).last ?? ""
        guard let dot = name.lastIndex(of: "."), dot != name.startIndex else {
            return "\(path).\(number)"
        }
        let suffix = name[dot...]
        return "\(path.dropLast(suffix.count)).\(number)\(suffix)"
    }
}

/// A descriptor and the names that belong to it.
private struct Opened {
    var descriptor = STDOUT_FILENO
    var path = "standard output"
    var finalPath: String?

    init(_ path: String, replaces: Bool) throws(CommandError) {
        if path == "-" { return }
        var facts = stat()
        let exists = unsafe stat(path, &facts) == 0
        let isRegular = !exists || facts.st_mode & S_IFMT == S_IFREG
        if exists, isRegular, !replaces {
            throw CommandError("'\(path)' exists; give another name, or --force to replace it.")
        }
        if isRegular { finalPath = path }
        self.path = isRegular ? path + OutputFile.partSuffix : path
        let flags = isRegular ? O_WRONLY | O_CREAT | O_TRUNC : O_WRONLY
        descriptor = unsafe open(self.path, flags | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw .system("create '\(self.path)'", errno) }
    }
}

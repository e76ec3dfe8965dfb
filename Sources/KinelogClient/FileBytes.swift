import Glibc
public import NIOCore
import NIOPosix

/// The bytes of a file or of standard input, read as they are asked for.
///
/// It can be gone through once. Reading happens outside the cooperative threads, since a pipe may be
/// silent for as long as whoever feeds it likes.
public final class FileBytes: AsyncSequence, Sendable {
    /// How many bytes are read at a time.
    public static let pieceBytes = 128 * 1024

    /// How many bytes there are now, when it is a regular file; one still being written grows.
    public let length: Int64?

    private let descriptor: Int32
    private let isOwned: Bool
    private let name: String

    /// Opens a file.
    ///
    /// - Parameter path: The file, or `-` for standard input.
    /// - Throws: ``KinelogClientError/Code/sourceFailed`` when it cannot be opened or is a folder.
    public init(path: String) throws(KinelogClientError) {
        let isOwned = path != "-"
        let name = isOwned ? "'\(path)'" : "standard input"
        let descriptor = isOwned ? unsafe open(path, O_RDONLY | O_CLOEXEC) : STDIN_FILENO
        guard descriptor >= 0 else { throw Self.failure("open", name, errno) }
        var facts = stat()
        let code = unsafe fstat(descriptor, &facts) == 0 ? 0 : errno
        let kind = facts.st_mode & S_IFMT
        guard code == 0, kind != S_IFDIR else {
            if isOwned { close(descriptor) }
            throw Self.failure("read", name, code == 0 ? EISDIR : code)
        }
        length =
            kind == S_IFREG
            ? Int64(facts.st_size - Swift.max(0, lseek(descriptor, 0, SEEK_CUR))) : nil
        self.isOwned = isOwned
        self.name = name
        self.descriptor = descriptor
    }

    deinit {
        if isOwned { close(descriptor) }
    }

    /// Begins to read.
    public func makeAsyncIterator() -> Iterator { Iterator(file: self) }

    /// Reads one piece after another.
    public struct Iterator: AsyncIteratorProtocol {
        let file: FileBytes

        /// The next piece, at most ``FileBytes/pieceBytes`` long; `nil` at the end.
        ///
        /// - Throws: ``KinelogClientError/Code/sourceFailed`` when the file cannot be read.
        public mutating func next() async throws -> ByteBuffer? {
            let file = file
            let piece = try await NIOThreadPool.singleton.runIfActive { try file.read() }
            return piece.readableBytes > 0 ? piece : nil
        }
    }

    /// Reads bytes at an offset without moving the place that iteration reads at.
    ///
    /// - Parameters:
    ///   - offset: Counted from the start of the file.
    ///   - count: How many bytes.
    /// - Returns: Those bytes, fewer at the end of the file; `nil` when it is a pipe or a terminal.
    /// - Throws: ``KinelogClientError/Code/sourceFailed`` when the file cannot be read.
    public func peek(at offset: Int64, count: Int) throws(KinelogClientError) -> ByteBuffer? {
        guard length != nil else { return nil }
        return try unsafe fill(count) {
            unsafe pread(descriptor, $0.baseAddress, $0.count, off_t(offset))
        }
    }

    private func read() throws(KinelogClientError) -> ByteBuffer {
        try unsafe fill(Self.pieceBytes) { unsafe Glibc.read(descriptor, $0.baseAddress, $0.count) }
    }

    /// One reading call's bytes, in a buffer.
    private func fill(
        _ count: Int,
        _ call: (UnsafeMutableRawBufferPointer) -> Int
    ) throws(KinelogClientError) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.reserveCapacity(count)
        while true {
            var code: Int32 = 0
            unsafe buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { space in
                let got = unsafe call(UnsafeMutableRawBufferPointer(rebasing: space.prefix(count)))
                code = got < 0 ? errno : 0
                return Swift.max(0, got)
            }
            if code == 0 { return buffer }
            if code != EINTR { throw Self.failure("read", name, code) }
        }
    }

    private static func failure(
        _ attempt: String,
        _ name: String,
        _ code: Int32
    ) -> KinelogClientError {
        let why = unsafe String(cString: strerror(code))
        return KinelogClientError(
            .sourceFailed,
            "Could not \(attempt) \(name): \(why). Check the path and its permissions."
        )
    }
}

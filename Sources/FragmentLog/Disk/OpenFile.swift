import CLinux
import Glibc
import NIOCore

/// An open file that closes itself.
///
/// Every method blocks and belongs on a pool thread. Errors name the path, the call and what to do;
/// `ENOSPC` and `EDQUOT` come out as `.diskFull`, all others as `.ioError`.
final class OpenFile: Sendable {
    let descriptor: Int32
    let path: String

    private init(descriptor: Int32, path: String) {
        self.descriptor = descriptor
        self.path = path
    }

    deinit { close(descriptor) }

    static func open(
        _ path: String,
        _ flags: Int32,
        mode: mode_t = 0o600
    ) throws(LogError)
        -> OpenFile
    {
        while true {
            let descriptor = unsafe Glibc.open(path, flags | O_CLOEXEC, mode)
            if descriptor >= 0 { return OpenFile(descriptor: descriptor, path: path) }
            if errno == EINTR { continue }
            throw LogError.system("open", path)
        }
    }

    /// Writes all of the buffers in order, beginning at `offset`.
    func write(_ buffers: [ByteBuffer], at offset: UInt64) throws(LogError) {
        var position = Int64(offset)
        var first = 0
        var skip = 0
        while first < buffers.count {
            let last = min(buffers.count, first + 512)
            let written = unsafe withVectors(buffers[first..<last], skipping: skip) { vectors in
                unsafe pwritev(
                    descriptor,
                    vectors.baseAddress,
                    Int32(vectors.count),
                    off_t(position)
                )
            }
            if written < 0 {
                if errno == EINTR { continue }
                throw LogError.system("write", path)
            }
            position += Int64(written)
            var remaining = written + skip
            while first < last, remaining >= buffers[first].readableBytes {
                remaining -= buffers[first].readableBytes
                first += 1
            }
            skip = remaining
            if written == 0, first < last {
                throw LogError(
                    .diskFull,
                    "Writing \(path) took no bytes; free space on its volume."
                )
            }
        }
    }

    private func withVectors(
        _ buffers: ArraySlice<ByteBuffer>,
        skipping: Int,
        _ body: (UnsafeMutableBufferPointer<iovec>) -> Int
    ) -> Int {
        unsafe withUnsafeTemporaryAllocation(of: iovec.self, capacity: buffers.count) { vectors in
            // The views stay valid because `buffers` keeps their storage alive until the call is
            // over and nobody can write to storage that is shared.
            for (index, buffer) in buffers.enumerated() {
                unsafe buffer.withUnsafeReadableBytes { bytes in
                    let begin = index == 0 ? skipping : 0
                    unsafe vectors.initializeElement(
                        at: index,
                        to: iovec(
                            iov_base: UnsafeMutableRawPointer(
                                mutating: bytes.baseAddress.map { unsafe $0 + begin }
                            ),
                            iov_len: bytes.count - begin
                        )
                    )
                }
            }
            return unsafe body(vectors)
        }
    }

    /// Reads up to `length` bytes at `offset`; fewer only at the end of the file.
    func read(at offset: UInt64, length: Int) throws(LogError) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.reserveCapacity(length)
        var failed = false
        while buffer.readableBytes < length {
            let position = Int64(offset) + Int64(buffer.readableBytes)
            let wanted = length - buffer.readableBytes
            var count = 0
            unsafe buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: wanted) { target in
                count = unsafe pread(descriptor, target.baseAddress, wanted, off_t(position))
                return max(0, count)
            }
            if count < 0 {
                if errno == EINTR { continue }
                failed = true
            }
            if count <= 0 { break }
        }
        if failed { throw LogError.system("read", path) }
        return buffer
    }

    func size() throws(LogError) -> UInt64 {
        var info = stat()
        if unsafe fstat(descriptor, &info) != 0 { throw LogError.system("fstat", path) }
        return UInt64(info.st_size)
    }

    /// Whether no name leads to the file any more.
    func isUnlinked() throws(LogError) -> Bool {
        var info = stat()
        if unsafe fstat(descriptor, &info) != 0 { throw LogError.system("fstat", path) }
        return info.st_nlink == 0
    }

    func truncate(to length: UInt64) throws(LogError) {
        while ftruncate(descriptor, off_t(length)) != 0 {
            if errno != EINTR { throw LogError.system("truncate", path) }
        }
    }

    /// Makes the data and the size durable.
    func syncData() throws(LogError) {
        if fdatasync(descriptor) != 0 { throw LogError.system("fdatasync", path) }
    }

    /// Makes data and all metadata durable.
    func sync() throws(LogError) {
        if fsync(descriptor) != 0 { throw LogError.system("fsync", path) }
    }

    /// Copies `length` bytes of another file without passing them through this process.
    func copy(
        from source: OpenFile,
        sourceOffset: UInt64,
        length: UInt64,
        at offset: UInt64
    )
        throws(LogError)
    {
        var done: UInt64 = 0
        while done < length {
            let count = kl_copy_file_range(
                source.descriptor,
                Int64(sourceOffset + done),
                descriptor,
                Int64(offset + done),
                Int(length - done)
            )
            if count > 0 {
                done += UInt64(count)
                continue
            }
            if count < 0, errno == EINTR { continue }
            if count < 0, [EXDEV, EINVAL, ENOSYS, EOPNOTSUPP].contains(errno) {
                // File systems without the call: read and write in pieces instead.
                let piece = try source.read(
                    at: sourceOffset + done,
                    length: Int(min(length - done, 1 << 20))
                )
                if piece.readableBytes > 0 {
                    try write([piece], at: offset + done)
                    done += UInt64(piece.readableBytes)
                    continue
                }
            }
            if count < 0 { throw LogError.system("copy_file_range", path) }
            throw LogError(
                .ioError,
                "Copying \(length) bytes of \(source.path) into \(path) ended after \(done) bytes; the spilled file is shorter than it was."
            )
        }
    }
}

extension LogError {
    /// An error from `errno` of the call that just failed.
    static func system(_ call: String, _ path: String) -> LogError {
        let number = errno
        let text = unsafe String(cString: strerror(number))
        switch number {
        case ENOSPC, EDQUOT:
            return LogError(
                .diskFull,
                "\(call) of \(path) found no space (\(text)); free space on its volume, ingest resumes by itself."
            )
        case EMFILE, ENFILE:
            return LogError(
                .ioError,
                "\(call) of \(path) found no free file descriptor (\(text)); raise the limit of open files."
            )
        case ENOENT:
            return LogError(.gone, "\(call) of \(path) found no such file.")
        default:
            return LogError(
                .ioError,
                "\(call) of \(path) failed: \(text); check the disk and the permissions of the data directory."
            )
        }
    }
}

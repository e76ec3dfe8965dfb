import Glibc
import NIOCore
import NIOPosix

/// Standard output and standard error of a command.
enum Terminal {
    /// Whether a person reads what is written to a descriptor.
    static func isInteractive(_ descriptor: Int32) -> Bool { isatty(descriptor) == 1 }

    /// Writes a line to standard output.
    ///
    /// - Throws: ``CommandError`` when nobody reads it any more.
    static func line(_ text: String) throws(CommandError) {
        try write(ByteBuffer(string: text + "\n"), to: STDOUT_FILENO, "standard output")
    }

    /// Writes a line to standard error; what becomes of it is of no consequence.
    static func note(_ text: String) {
        try? write(ByteBuffer(string: text + "\n"), to: STDERR_FILENO, "standard error")
    }

    /// Writes all of a buffer, waiting where the reader is slow.
    ///
    /// Throws when it takes no more; `name` is what the error calls it.
    static func write(
        _ bytes: ByteBuffer,
        to descriptor: Int32,
        _ name: String
    ) throws(CommandError) {
        var rest = bytes
        while rest.readableBytes > 0 {
            var code: Int32 = 0
            unsafe rest.readWithUnsafeReadableBytes { space in
                let written = unsafe Glibc.write(descriptor, space.baseAddress, space.count)
                code = written < 0 ? errno : 0
                return max(0, written)
            }
            switch code {
            case 0, EINTR: continue
            case EAGAIN: waitUntilWritable(descriptor)
            default: throw .system("write to \(name)", code)
            }
        }
    }

    /// Writes all of a buffer outside the cooperative threads.
    ///
    /// - Throws: ``CommandError`` when the descriptor takes no more.
    static func writeAll(_ bytes: ByteBuffer, to descriptor: Int32, _ name: String) async throws {
        try await NIOThreadPool.singleton.runIfActive {
            try write(bytes, to: descriptor, name)
        }
    }

    /// A pipe that somebody else made non-blocking.
    private static func waitUntilWritable(_ descriptor: Int32) {
        var wish = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        _ = unsafe poll(&wish, 1, -1)
    }
}

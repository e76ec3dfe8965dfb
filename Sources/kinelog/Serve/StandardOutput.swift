import FragmentLog
import Glibc
import MediaModel

/// Standard output, written as it is: the C library's stream variables cannot be used here.
enum StandardOutput {
    /// Writes a text at once.
    static func write(_ text: String) { writeAll(text, to: 1) }
}

/// Standard error.
enum StandardError {
    /// Writes a text at once.
    static func write(_ text: String) { writeAll(text, to: 2) }
}

/// The wall clock as log lines show it.
enum Clock {
    /// RFC 3339 in UTC.
    static func text() -> String { SystemClock().now().description }
}

private func writeAll(_ text: String, to descriptor: Int32) {
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
        let count = unsafe bytes.withUnsafeBytes {
            unsafe write(descriptor, $0.baseAddress, $0.count)
        }
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { return }
        bytes = bytes.dropFirst(count)
    }
}

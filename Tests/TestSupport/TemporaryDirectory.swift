import FoundationEssentials
import Glibc
package import NIOCore
import Synchronization

/// A directory that is deleted with everything in it when the last reference goes, or when the
/// process exits.
package final class TemporaryDirectory: Sendable {
    /// Absolute path.
    package let path: String

    /// A new, empty directory that only this user may enter.
    ///
    /// - Throws: ``TestSupportError`` when it cannot be made.
    package init() throws {
        let base = unsafe getenv("TMPDIR").map { unsafe String(cString: $0) } ?? "/tmp"
        var template = Array("\(base)/kinelog-test-XXXXXX".utf8CString)
        let made = unsafe template.withUnsafeMutableBufferPointer { buffer -> String? in
            guard let start = buffer.baseAddress, let made = unsafe mkdtemp(start) else {
                return nil
            }
            return unsafe String(cString: made)
        }
        guard let made else {
            throw TestSupportError("mkdtemp in \(base) failed with errno \(errno)")
        }
        path = made
        Self.registered.withLock { _ = $0.insert(made) }
        _ = Self.deletionAtExit
    }

    deinit {
        Self.registered.withLock { _ = $0.remove(path) }
        try? FileManager.default.removeItem(atPath: path)
    }

    /// Directories that still exist: what a static variable holds has no last reference.
    private static let registered = Mutex<Set<String>>([])

    private static let deletionAtExit: Void = {
        atexit {
            for path in TemporaryDirectory.registered.withLock({ $0 }) {
                try? FileManager.default.removeItem(atPath: path)
            }
        }
    }()

    /// The path of a file in the directory.
    package func file(_ name: String) -> String { "\(path)/\(name)" }
}

/// Reads a whole file.
///
/// - Throws: ``TestSupportError`` when it cannot be read.
package func contents(ofFile path: String) throws -> ByteBuffer {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw TestSupportError("open \(path): errno \(errno)") }
    defer { close(descriptor) }
    var buffer = ByteBuffer()
    while true {
        let count = unsafe buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: 1 << 16) {
            unsafe max(0, Glibc.read(descriptor, $0.baseAddress, $0.count))
        }
        if count == 0 { return buffer }
    }
}

/// Writes a whole file, replacing what was there.
///
/// - Throws: ``TestSupportError`` when it cannot be written.
package func write(_ buffer: ByteBuffer, toFile path: String) throws {
    let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw TestSupportError("open \(path): errno \(errno)") }
    defer { close(descriptor) }
    var rest = buffer
    while rest.readableBytes > 0 {
        let count = unsafe rest.readWithUnsafeReadableBytes {
            unsafe max(0, Glibc.write(descriptor, $0.baseAddress, $0.count))
        }
        if count == 0 { throw TestSupportError("write \(path): errno \(errno)") }
    }
}

/// Something that a test needs could not be had.
package struct TestSupportError: Error, CustomStringConvertible {
    /// What was attempted and what happened.
    package let description: String

    package init(_ description: String) { self.description = description }
}

import Glibc
package import NIOCore

/// A program that a test runs and what came of it.
package struct Program: Sendable {
    /// Exit status, or 128 + the signal that ended it.
    package let status: Int32

    /// What it wrote to standard output.
    package let output: ByteBuffer

    /// What it wrote to standard error, as text.
    package let errors: String

    /// Standard output as text.
    package var text: String { String(buffer: output) }

    /// Runs a program found in `PATH` and waits until it ends, on a thread of its own.
    ///
    /// - Parameters:
    ///   - arguments: The program's name and its arguments.
    ///   - input: What it reads from standard input.
    /// - Returns: Its status and output.
    /// - Throws: ``TestSupportError`` when it cannot be started.
    package static func run(
        _ arguments: [String],
        input: ByteBuffer = ByteBuffer()
    ) async throws -> Program {
        try await withCheckedThrowingContinuation { continuation in
            OwnThread.start { continuation.resume(with: Result { try runHere(arguments, input) }) }
        }
    }

    /// Runs a program and expects it to succeed.
    ///
    /// - Returns: What it wrote to standard output.
    /// - Throws: ``TestSupportError`` with its standard error when its status is not zero.
    @discardableResult
    package static func succeed(
        _ arguments: [String],
        input: ByteBuffer = ByteBuffer()
    ) async throws -> ByteBuffer {
        let result = try await run(arguments, input: input)
        guard result.status == 0 else {
            throw TestSupportError(
                "\(arguments.joined(separator: " ")): status \(result.status)\n\(result.errors)"
            )
        }
        return result.output
    }

    /// Files stand in for pipes, so that no output can fill one and block.
    private static func runHere(_ arguments: [String], _ input: ByteBuffer) throws -> Program {
        let directory = try TemporaryDirectory()
        let names = ["in", "out", "err"].map { directory.file($0) }
        try write(input, toFile: names[0])
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_addopen(&actions, 0, names[0], O_RDONLY, 0)
        for (descriptor, name) in [(Int32(1), names[1]), (2, names[2])] {
            unsafe posix_spawn_file_actions_addopen(
                &actions,
                descriptor,
                name,
                O_WRONLY | O_CREAT | O_TRUNC,
                0o600
            )
        }
        var argv = unsafe arguments.map { unsafe strdup($0) }
        defer { unsafe argv.forEach { unsafe free($0) } }
        unsafe argv.append(nil)
        var process = pid_t()
        let code = unsafe posix_spawnp(&process, arguments[0], &actions, nil, argv, environ)
        guard code == 0 else {
            throw TestSupportError("\(arguments[0]) could not be started: errno \(code)")
        }
        var status: Int32 = 0
        while unsafe waitpid(process, &status, 0) < 0 {
            guard errno == EINTR else { throw TestSupportError("waitpid: errno \(errno)") }
        }
        let signal = status & 0x7F
        return Program(
            status: signal == 0 ? (status >> 8) & 0xFF : 128 + signal,
            output: try contents(ofFile: names[1]),
            errors: String(buffer: try contents(ofFile: names[2]))
        )
    }
}

/// Work that blocks, on a thread outside the cooperative pool.
package enum OwnThread {
    private final class Work {
        let body: @Sendable () -> Void

        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    /// Bytes of stack: what a producer session's thread has, so that no test needs more.
    private static let stackByteCount = 512 * 1024

    /// Starts a detached thread with a small stack.
    package static func start(_ body: @escaping @Sendable () -> Void) {
        var thread = pthread_t()
        // Not `pthread_attr_t()`: which module that initializer belongs to depends on which of
        // those that include the type was loaded first.
        let attributes = UnsafeMutablePointer<pthread_attr_t>.allocate(capacity: 1)
        defer { unsafe attributes.deallocate() }
        unsafe pthread_attr_init(attributes)
        defer { unsafe pthread_attr_destroy(attributes) }
        unsafe pthread_attr_setstacksize(attributes, stackByteCount)
        let code = unsafe pthread_create(
            &thread,
            attributes,
            { argument in
                guard let argument = unsafe argument else { return nil }
                unsafe Unmanaged<Work>.fromOpaque(argument).takeRetainedValue().body()
                return nil
            },
            Unmanaged.passRetained(Work(body)).toOpaque()
        )
        precondition(code == 0, "a test could not start a thread")
        pthread_detach(thread)
    }

    /// Runs blocking work on a thread of its own and waits for it without blocking.
    ///
    /// - Throws: What `body` throws.
    package static func run<Value: Sendable>(
        _ body: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            start { continuation.resume(with: Result { try body() }) }
        }
    }
}

import FoundationEssentials
import Glibc
import NIOCore
import Synchronization
import TestSupport

/// A `kinelog serve` of this build on a free port, killed when the last reference goes.
final class ServerProcess: Sendable {
    /// Where its data lies.
    let directory: String
    /// The port it listens on.
    let port: Int
    /// Its identity as a process.
    let process: pid_t
    private let logs: TemporaryDirectory
    /// Set when it has ended and was collected.
    private let status = Mutex(Int32?.none)

    /// The URL to it.
    var url: String { "http://127.0.0.1:\(port)" }

    /// What it wrote to standard error so far.
    var log: String { (try? contents(ofFile: logs.file("err"))).map { String(buffer: $0) } ?? "" }

    /// The executable beside the running test bundle.
    static let executable: String = {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = unsafe readlink("/proc/self/exe", &buffer, buffer.count)
        let path = String(decoding: buffer.prefix(max(0, count)).map { UInt8($0) }, as: UTF8.self)
        return path.split(separator: "/").dropLast().map { "/" + $0 }.joined() + "/kinelog"
    }()

    /// Starts a server and waits until it listens.
    ///
    /// - Parameters:
    ///   - directory: Its data directory.
    ///   - options: Further options of `kinelog serve`.
    /// - Returns: The running server.
    /// - Throws: ``Failure`` with its log when it does not come up.
    static func start(_ directory: String, _ options: String...) async throws -> ServerProcess {
        try await start(directory, options)
    }

    /// The same with a list of options.
    ///
    /// - Parameters:
    ///   - directory: Its data directory.
    ///   - options: Further options of `kinelog serve`.
    ///   - launcher: A program and its arguments that puts the server in its own place, such as
    ///     `prlimit`.
    /// - Returns: The running server.
    /// - Throws: ``Failure`` with its log when it does not come up.
    static func start(
        _ directory: String,
        _ options: [String],
        launcher: [String] = []
    ) async throws -> ServerProcess {
        try await OwnThread.run { try ServerProcess(directory, options, launcher) }
    }

    private init(_ directory: String, _ options: [String], _ launcher: [String]) throws {
        self.directory = directory
        logs = try TemporaryDirectory()
        // A named pipe, so that no other program started at this moment can inherit its end.
        let pipe = logs.file("out")
        guard unsafe mkfifo(pipe, 0o600) == 0 else { throw Failure("mkfifo: errno \(errno)") }
        let output = unsafe open(pipe, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        defer { close(output) }
        _ = fcntl(output, F_SETFL, 0)
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_addopen(&actions, 1, pipe, O_WRONLY, 0)
        unsafe posix_spawn_file_actions_addopen(
            &actions,
            2,
            logs.file("err"),
            O_WRONLY | O_CREAT | O_TRUNC,
            0o600
        )
        let arguments =
            launcher + [Self.executable, "serve", "--data", directory, "--http", "127.0.0.1:0"]
            + options
        var argv = unsafe arguments.map { unsafe strdup($0) }
        defer { unsafe argv.forEach { unsafe free($0) } }
        unsafe argv.append(nil)
        var process = pid_t()
        let code = unsafe posix_spawnp(&process, arguments[0], &actions, nil, argv, environ)
        guard code == 0 else { throw Failure("\(arguments[0]): errno \(code)") }
        self.process = process
        // Ends at the newline, or when the process ends.
        var line: [UInt8] = []
        var byte: UInt8 = 0
        while unsafe read(output, &byte, 1) == 1, byte != UInt8(ascii: "\n") { line.append(byte) }
        let text = String(decoding: line, as: UTF8.self)
        guard text.hasPrefix("listening on http://127.0.0.1:"),
            let port = text.split(separator: ":").last.flatMap({ Int($0) })
        else {
            let log = (try? contents(ofFile: logs.file("err"))).map { String(buffer: $0) } ?? ""
            throw Failure("the server said '\(text)'; its log: \(log)")
        }
        self.port = port
    }

    deinit {
        guard status.withLock({ $0 }) == nil else { return }
        kill(process, SIGKILL)
        var status: Int32 = 0
        _ = unsafe waitpid(process, &status, 0)
    }

    /// Sends a signal.
    func signal(_ number: Int32) { kill(process, number) }

    /// Waits until it has ended by itself.
    ///
    /// - Returns: Its exit status, or 128 + the signal that ended it.
    func end() async throws -> Int32 {
        try await OwnThread.run {
            var status: Int32 = 0
            guard unsafe waitpid(self.process, &status, 0) == self.process else {
                throw Failure("waitpid: errno \(errno)")
            }
            let signal = status & 0x7F
            let code = signal == 0 ? (status >> 8) & 0xFF : 128 + signal
            self.status.withLock { $0 = code }
            return code
        }
    }

    /// Bytes of memory that the process uses.
    var residentBytes: Int {
        get throws {
            let text = String(buffer: try contents(ofFile: "/proc/\(process)/statm"))
            let pages = text.split(separator: " ").dropFirst().first.flatMap { Int($0) }
            return (pages ?? 0) * sysconf(Int32(_SC_PAGESIZE))
        }
    }

    /// How many threads the process has.
    var threadCount: Int {
        get throws {
            try FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/task").count
        }
    }

    /// How many sockets the process has open.
    var socketCount: Int {
        get throws {
            let path = "/proc/\(process)/fd"
            return try FileManager.default.contentsOfDirectory(atPath: path).count { name in
                let target = try? FileManager.default.destinationOfSymbolicLink(
                    atPath: "\(path)/\(name)"
                )
                return target?.hasPrefix("socket:") == true
            }
        }
    }

    /// Waits for something to become true, looking again every few milliseconds.
    ///
    /// - Throws: ``Failure`` when it has not after ten seconds.
    func wait(until isTrue: () async throws -> Bool) async throws {
        for _ in 0..<1000 {
            if try await isTrue() { return }
            try await Task.sleep(for: .milliseconds(10))
        }
        throw Failure("what was waited for did not happen; the log: \(log)")
    }

    /// Waits for a text in its log.
    ///
    /// - Throws: ``Failure`` when it does not come.
    func waitForLog(_ text: String) async throws {
        try await wait(until: { log.contains(text) })
    }

    struct Failure: Error, CustomStringConvertible {
        let description: String
        init(_ description: String) { self.description = description }
    }
}

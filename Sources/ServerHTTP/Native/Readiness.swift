import FragmentLog
import Glibc
import NIOPosix

/// Whether the server can do its work.
struct Readiness: Equatable, Sendable {
    /// What stands in the way; empty when nothing does.
    var problems: [String] = []

    /// Streams that could not be opened, with the reason; they do not stand in the way of others.
    var damagedStreams: [(String, String)] = []

    /// Log segments that could not be brought into order, likewise.
    var damagedSegments: [(String, String)] = []

    var isReady: Bool { problems.isEmpty }

    static func == (left: Self, right: Self) -> Bool {
        left.problems == right.problems
            && left.damagedStreams.map(\.0) == right.damagedStreams.map(\.0)
            && left.damagedSegments.map(\.0) == right.damagedSegments.map(\.0)
    }

    /// Looks at the log and tries to write a byte to its volume.
    static func look(at server: ServerState) async -> Readiness {
        var readiness = Readiness()
        let configuration = server.log.configuration
        if let volume = await Volume.of(configuration.directory),
            volume.availableBytes < UInt64(clamping: configuration.freeBytesMin)
        {
            readiness.problems.append(
                "The volume of \(configuration.directory) has \(volume.availableBytes) bytes left, below the \(configuration.freeBytesMin) that ingest needs."
            )
        }
        let directory = configuration.directory
        let code = try? await NIOThreadPool.singleton.runIfActive { writeProbe(directory) }
        if code != 0 {
            readiness.problems.append(
                "A byte could not be written to \(directory) (errno \(code ?? ECANCELED))."
            )
        }
        readiness.damagedStreams = server.log.damagedStreams.map { ($0.key, $0.value.message) }
            .sorted { $0.0 < $1.0 }
        readiness.damagedSegments = server.log.damagedSegments.map { ($0.key, $0.value.message) }
            .sorted { $0.0 < $1.0 }
        return readiness
    }

    /// Writes to a file without a name, blocking; gives 0 or the error number.
    private static func writeProbe(_ directory: String) -> Int32 {
        let descriptor = unsafe open(directory, O_WRONLY | O_CLOEXEC | temporaryFile, 0o600)
        guard descriptor >= 0 else { return errno }
        defer { close(descriptor) }
        var byte: UInt8 = 0
        return unsafe write(descriptor, &byte, 1) == 1 ? 0 : errno
    }

    /// `O_TMPFILE`, which Swift's Glibc module does not show: `__O_TMPFILE | O_DIRECTORY`.
    private static let temporaryFile: Int32 = 0o20_000_000 | O_DIRECTORY
}

import ArgumentParser
import FragmentLog
import KinelogClient
import Synchronization

/// `kinelog verify`.
struct VerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Check everything that is stored.",
        discussion: """
            Asks a running server, which goes on taking and giving footage meanwhile. With --data \
            it reads a data directory that no server uses. With --repair it also brings that \
            directory into order from its files: lost databases and indexes are built again, and \
            no footage is removed.

            It ends with 0 when all is as it should be, and with 1 when something is not or it \
            could not look.
            """
    )

    @OptionGroup var server: ServerOptions
    @OptionGroup var output: OutputOptions

    @Option(
        help: ArgumentHelp(
            "A data directory that no server uses; with --repair ./kinelog-data if left out.",
            valueName: "dir"
        )
    )
    var data: String?

    @Flag(help: "Put right what can be put right; the server must be stopped.")
    var repair = false

    func run() async throws {
        let report: ArchiveReport
        if repair {
            report = try await repair(data ?? "./kinelog-data")
        } else if let data {
            report = ArchiveReport(
                try await Self.withProgress {
                    try await FragmentLog.verify(directory: data, progress: $0)
                }
            )
        } else {
            report = try await server.withClient { try await $0.verify() }
        }
        if output.json, !repair {
            try JSONOutput.line(report)
        } else if !output.json {
            try ReportText.lines(of: report).forEach(Terminal.line)
        }
        if !report.clean { throw ExitCode.failure }
    }

    /// Repairs a data directory and says what was done; gives what a check finds afterwards.
    private func repair(_ directory: String) async throws -> ArchiveReport {
        let report = try await Self.withProgress {
            try await FragmentLog.repair(directory: directory, progress: $0)
        }
        if output.json {
            try JSONOutput.line(RepairOutput(report))
        } else {
            try ReportText.lines(of: report).forEach(Terminal.line)
        }
        return ArchiveReport(report.after)
    }

    /// Runs a long operation on a directory with a line that says how far it is.
    private static func withProgress<Value: Sendable>(
        _ body: (@escaping VerifyProgressHandler) async throws -> Value
    ) async throws -> Value {
        let line = Mutex(ProgressLine())
        defer { line.withLock { $0.clear() } }
        return try await body { progress in
            line.withLock { $0.show(Self.text(progress)) }
        }
    }

    private static func text(_ progress: VerifyProgress) -> String {
        let bar = ProgressLine.bar(
            Int64(progress.streamsDone) * 1000
                + Int64(progress.segmentsDone) * 1000 / Int64(max(1, progress.segmentCount)),
            of: Int64(progress.streamCount) * 1000
        )
        let bytes = HumanText.bytes(Int64(clamping: progress.byteCount))
        return "\(bar)  \(bytes) read, stream '\(progress.stream)'"
    }
}

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
            it reads a data directory that no server uses. It ends with 0 when all is as it should \
            be, and with 1 when it found damage or could not look.
            """
    )

    @OptionGroup var server: ServerOptions
    @OptionGroup var output: OutputOptions

    @Option(help: ArgumentHelp("A data directory that no server uses.", valueName: "dir"))
    var data: String?

    func run() async throws {
        let report: ArchiveReport
        if let data {
            report = try await Self.check(data)
        } else {
            report = try await server.withClient { try await $0.verify() }
        }
        if output.json {
            try JSONOutput.line(report)
        } else {
            try ReportText.lines(of: report).forEach(Terminal.line)
        }
        if !report.clean { throw ExitCode.failure }
    }

    /// Checks a data directory from this process.
    private static func check(_ directory: String) async throws -> ArchiveReport {
        let line = Mutex(ProgressLine())
        defer { line.withLock { $0.clear() } }
        return ArchiveReport(
            try await FragmentLog.verify(directory: directory) { progress in
                line.withLock { $0.show(Self.text(progress)) }
            }
        )
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

import ArgumentParser
import Glibc

/// The command line (DESIGN 7.1).
@main
struct Kinelog: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kinelog",
        abstract: "A log for cameras: keeps video streams as durable fragments and serves them.",
        subcommands: [ServeCommand.self] + ClientCommands.all
    )

    /// Runs the command and ends the process: 0, 1 when it failed, 2 when it was called wrongly.
    static func main() async {
        do {
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch {
            CommandEnd.exit(with: error)
        }
    }
}

import ArgumentParser
import Glibc

/// How the process ends when a command throws (DESIGN 7.1).
enum CommandEnd {
    static let failure: Int32 = 1
    static let wrongUsage: Int32 = 2

    /// Prints what the error says, to standard output where it is the help that was asked for, and
    /// ends the process.
    static func exit(with error: any Error) -> Never {
        let code = Kinelog.exitCode(for: error)
        let text = Kinelog.fullMessage(for: error)
        if code.isSuccess {
            StandardOutput.write(text + "\n")
            Glibc.exit(0)
        }
        if !text.isEmpty { StandardError.write(text + "\n") }
        Glibc.exit(code == .validationFailure ? wrongUsage : failure)
    }
}

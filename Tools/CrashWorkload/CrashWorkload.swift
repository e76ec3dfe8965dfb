import FragmentLog
import Glibc
import LogTestSupport
import MediaModel

/// Puts a log under load so that it can be killed, and checks what a crash left.
///
///     CrashWorkload load   --data DIR --marks FILE [--streams N] [--seed N] [--no-check]
///     CrashWorkload script --data DIR --marks FILE [--seed N] [--small] [--abandon]
///                          [--clear FILE]
///     CrashWorkload check  --data DIR --marks FILE [--power-cut]
///     CrashWorkload repair --data DIR --marks FILE
///
/// `load` first checks what is there, then works until it is killed. `script` does a small, bounded
/// piece of everything and ends, with `--abandon` without closing the log. Whatever is promised to a
/// producer is written to the marks file first thing afterwards. Exit 0: all was as it should be;
/// 1: not, with a line each on standard output; 2: bad usage.
@main
struct CrashWorkload {
    static func main() async {
        let status: Int32
        do {
            let arguments = try Arguments(Array(CommandLine.arguments.dropFirst()))
            status = try await run(arguments)
        } catch {
            say("failed: \(error)")
            status = error is Arguments.Unusable ? 2 : 1
        }
        exit(status)
    }

    private static func run(_ arguments: Arguments) async throws -> Int32 {
        switch arguments.command {
        case .load:
            if !arguments.skipsCheck, try await !Check(arguments).passes() { return 1 }
            try await Load(arguments).run()
            return 0
        case .script:
            return try await Script(arguments).run() ? 0 : 1
        case .check:
            return try await Check(arguments).passes() ? 0 : 1
        case .repair:
            let time = max(try Promises(arguments.marks).time, 1_795_255_200_000) + 1
            let report = try await FragmentLog.repair(
                directory: arguments.data,
                clock: SteppedClock(Timestamp(milliseconds: time))
            )
            for finding in report.after.findings where finding.severity > .notice {
                say("after repair: \(finding)")
            }
            return report.after.isClean ? 0 : 1
        }
    }
}

/// The command line.
struct Arguments: Sendable {
    enum Command: String {
        case load
        case script
        case check
        case repair
    }

    struct Unusable: Error, CustomStringConvertible {
        let description: String
    }

    var command: Command
    var data = ""
    var marks = ""
    var streams = 3
    var seed: UInt64 = 1
    var skipsCheck = false
    var isPowerCut = false
    var abandons = false
    var isSmall = false
    /// Made by the script once faults should end.
    var clear: String?

    init(_ words: [String]) throws {
        guard let command = words.first.flatMap({ Command(rawValue: $0) }) else {
            throw Unusable(description: "say load, script, check or repair")
        }
        self.command = command
        var rest = words.dropFirst()
        while let word = rest.popFirst() {
            func value() throws -> String {
                guard let value = rest.popFirst() else {
                    throw Unusable(description: "\(word) lacks a value")
                }
                return value
            }
            switch word {
            case "--data": data = try value()
            case "--marks": marks = try value()
            case "--streams": streams = Int(try value()) ?? 0
            case "--seed": seed = UInt64(try value()) ?? 0
            case "--clear": clear = try value()
            case "--no-check": skipsCheck = true
            case "--power-cut": isPowerCut = true
            case "--abandon": abandons = true
            case "--small": isSmall = true
            default: throw Unusable(description: "unknown option \(word)")
            }
        }
        guard !data.isEmpty, !marks.isEmpty, streams > 0 else {
            throw Unusable(description: "--data and --marks are needed, --streams is at least 1")
        }
    }
}

/// Writes a line to standard output with one call.
func say(_ line: String) {
    var text = line + "\n"
    text.withUTF8 { bytes in
        _ = unsafe write(1, bytes.baseAddress, bytes.count)
    }
}

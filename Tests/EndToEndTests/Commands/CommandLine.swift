import FoundationEssentials
import NIOCore
import TestSupport

/// The program as a person calls it, against one server.
struct CommandLine: Sendable {
    /// Where the server is; `nil` leaves the option out.
    let url: String?

    /// Runs a command that asks the server.
    func callAsFunction(
        _ arguments: String...,
        input: ByteBuffer = ByteBuffer()
    ) async throws -> Program {
        let server = url.map { ["--server", $0] } ?? []
        return try await Program.run(
            [ServerProcess.executable] + arguments + server,
            input: input
        )
    }

    /// Runs a command that asks no server.
    static func run(_ arguments: String...) async throws -> Program {
        try await Program.run([ServerProcess.executable] + arguments)
    }
}

extension Program {
    /// The lines of standard output.
    var lines: [String] { text.split(separator: "\n").map(String.init) }

    /// The lines of standard output, each read as JSON.
    func decodedLines<Value: Decodable>(_ type: Value.Type = Value.self) throws -> [Value] {
        try lines.map { try JSONDecoder().decode(type, from: Data($0.utf8)) }
    }
}

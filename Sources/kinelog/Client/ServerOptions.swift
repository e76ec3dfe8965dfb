import ArgumentParser
import KinelogClient

/// What every command that asks a server takes.
struct ServerOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The server, as http://HOST:PORT.",
            discussion:
                "Without it the environment variable KINELOG_URL is used, and without that http://127.0.0.1:8080.",
            valueName: "url"
        )
    )
    var server: String?

    mutating func validate() throws {
        do {
            _ = try address()
        } catch {
            throw ValidationError(error.message)
        }
    }

    private func address() throws(KinelogClientError) -> ServerAddress {
        if let server { return try ServerAddress(server) }
        return try .fromEnvironment()
    }

    /// Runs a body with a connection to the server.
    ///
    /// - Throws: What `body` throws.
    func withClient<Value: Sendable>(
        _ body: @Sendable (KinelogClient) async throws -> Value
    ) async throws -> Value {
        try await KinelogClient.with(address(), body)
    }
}

/// What checks the stored footage of a running server; the place where it is plugged in.
struct VerifyOperation: Sendable {
    /// Checks everything and says what was found.
    let answer: @Sendable (ServerState) async throws -> Answer
}

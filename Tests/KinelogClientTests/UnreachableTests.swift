import Testing

@testable import KinelogClient

struct UnreachableTests {
    /// With an hour for the connection, only an answer to the first refusal comes in time.
    @Test(.timeLimit(.minutes(1)))
    func `a server that refuses the connection is reported at once`() async throws {
        let timeouts = ClientTimeouts(connectMilliseconds: 3_600_000, answerMilliseconds: 3_600_000)
        let error = await #expect(throws: KinelogClientError.self) {
            try await KinelogClient.with(
                try ServerAddress("http://127.0.0.1:1"),
                timeouts: timeouts
            ) {
                try await $0.status()
            }
        }
        #expect(error?.code == .unreachable)
        #expect(error?.message.contains("Connection refused") == true)
    }
}

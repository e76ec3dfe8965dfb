/// Waits for something, but not for ever.
enum SilenceLimit {
    /// Runs work and gives up on it after a while; the work must end when it is cancelled.
    ///
    /// - Parameters:
    ///   - milliseconds: How long to wait.
    ///   - work: What to wait for.
    /// - Returns: What the work gives; `nil` when the time was over first.
    /// - Throws: What the work throws.
    static func wait<Success: Sendable, Failure: Error>(
        milliseconds: Int64,
        _ work: @escaping @Sendable () async throws(Failure) -> Success
    ) async throws(Failure) -> Success? {
        let result = await withTaskGroup(of: Result<Success, Failure>?.self) {
            group -> Result<Success, Failure>? in
            group.addTask {
                do throws(Failure) {
                    return .success(try await work())
                } catch {
                    return .failure(error)
                }
            }
            group.addTask {
                try? await Task.sleep(for: .milliseconds(milliseconds))
                return nil
            }
            let first = await group.next() ?? nil
            group.cancelAll()
            // A result that came in the same moment is not thrown away.
            let second = await group.next() ?? nil
            if let first { return first }
            if case .success? = second { return second }
            return nil
        }
        guard let result else { return nil }
        return try result.get()
    }
}

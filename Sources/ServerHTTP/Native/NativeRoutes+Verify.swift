import FragmentLog

extension NativeRoutes {
    /// `POST /v1/verify`: checks everything stored while the server runs, one check at a time.
    ///
    /// Ends with its client: nobody would read what it finds.
    func verify() throws -> Step {
        _ = try query()
        let (exchange, server) = (exchange, server)
        return .body {
            _ = try await exchange.body.collect(server.configuration)
            guard server.verifying.enter() else {
                throw APIError(.busy, "A check is running already; its client gets the report.")
            }
            defer { server.verifying.leave() }
            let report = try await withThrowingTaskGroup(of: VerifyReport?.self) { group in
                group.addTask { try await server.log.verify() }
                group.addTask {
                    await exchange.connection.ending.wait()
                    return nil
                }
                defer { group.cancelAll() }
                return try await group.next() ?? nil
            }
            guard let report else {
                if exchange.connection.isPeerGone { throw HTTPResponder.ConnectionEnded() }
                throw APIError(.shuttingDown, "The server is shutting down; check again later.")
            }
            return Answer(json: VerifyShape.json(report))
        }
    }
}

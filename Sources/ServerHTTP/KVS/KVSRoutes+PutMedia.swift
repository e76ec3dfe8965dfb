extension KVSRoutes {
    func putMedia() async throws -> Step {
        throw APIError(.notImplemented, "PutMedia is not there yet.")
    }
}

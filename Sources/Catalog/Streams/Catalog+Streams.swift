package import MediaModel

extension Catalog {
    /// Adds a stream, after its `stream.json` is durable.
    ///
    /// - Throws: ``CatalogError/Code/conflict`` when the name or the identity is in use.
    package func insertStream(
        _ id: StreamID,
        name: StreamName,
        owner: OwnerEpoch
    ) async throws(CatalogError) {
        try await file.write("add a stream") { try StreamWrites.insert($0, id, name, owner) }
    }

    /// ``insertStream(_:name:owner:)`` on the calling thread.
    package func insertStreamBlocking(
        _ id: StreamID,
        name: StreamName,
        owner: OwnerEpoch
    ) throws(CatalogError) {
        try file.writeBlocking("add a stream") { try StreamWrites.insert($0, id, name, owner) }
    }

    /// Forgets a stream with its log segments, sessions and gaps, after its files are gone.
    ///
    /// Works in batches, so that other streams' commits get in between; broken off, it is simply
    /// called again. A stream the catalog does not have is no error.
    package func removeStream(_ id: StreamID, owner: OwnerEpoch) async throws(CatalogError) {
        while try await !file.write(
            "remove a stream",
            { try StreamWrites.removeSome($0, id, owner) }
        ) {}
    }

    /// ``removeStream(_:owner:)`` on the calling thread.
    package func removeStreamBlocking(_ id: StreamID, owner: OwnerEpoch) throws(CatalogError) {
        while try !file.writeBlocking(
            "remove a stream",
            { try StreamWrites.removeSome($0, id, owner) }
        ) {}
    }

    /// The stream of an identity.
    package func stream(_ id: StreamID) async throws(CatalogError) -> StreamRow? {
        try await file.read("find a stream") { try StreamLookups.stream($0, id) }
    }

    /// ``stream(_:)`` on the calling thread.
    package func streamBlocking(_ id: StreamID) throws(CatalogError) -> StreamRow? {
        try file.readBlocking("find a stream") { try StreamLookups.stream($0, id) }
    }

    /// The stream of a name.
    package func stream(named name: StreamName) async throws(CatalogError) -> StreamRow? {
        try await file.read("find a stream") { try StreamLookups.stream($0, named: name) }
    }

    /// ``stream(named:)`` on the calling thread.
    package func streamBlocking(named name: StreamName) throws(CatalogError) -> StreamRow? {
        try file.readBlocking("find a stream") { try StreamLookups.stream($0, named: name) }
    }

    /// Every stream, by name.
    package func streams() async throws(CatalogError) -> [StreamRow] {
        try await file.read("list the streams") { try StreamLookups.streams($0) }
    }

    /// ``streams()`` on the calling thread.
    package func streamsBlocking() throws(CatalogError) -> [StreamRow] {
        try file.readBlocking("list the streams") { try StreamLookups.streams($0) }
    }
}

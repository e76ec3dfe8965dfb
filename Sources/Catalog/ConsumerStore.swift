/// The cursors of durable consumers, in `consumers.sqlite`.
///
/// Empty until consumers exist; it is made, checked and copied from the start, so that every data
/// directory has it.
package final class ConsumerStore: Sendable {
    private let file: DatabaseFile

    private init(file: DatabaseFile) {
        self.file = file
    }

    /// Opens the file, checks it and brings its schema up to date.
    ///
    /// Blocks. The parameters and errors are those of ``Catalog/open(path:integrityCheck:ifMissing:)``.
    package static func open(
        path: String,
        integrityCheck: Bool = true,
        ifMissing: MissingDatabase = .create
    ) throws(CatalogError) -> ConsumerStore {
        ConsumerStore(
            file: try DatabaseFile(
                path: path,
                kind: .consumers,
                ifMissing: ifMissing,
                integrityCheck: integrityCheck
            )
        )
    }

    /// Where the file lies.
    package var path: String { file.path }

    /// Whether opening made the file.
    package var wasCreated: Bool { file.wasCreated }

    /// Waits for what is under way and closes the file.
    ///
    /// Blocks.
    package func close() throws(CatalogError) {
        try file.close()
    }

    /// Writes a compact copy; see ``Catalog/vacuumCopy(to:)``.
    package func vacuumCopy(to target: String) async throws(CatalogError) {
        try await file.vacuumCopy(to: target)
    }
}
